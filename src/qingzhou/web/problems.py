"""What a request is refused with: a status, a word for programs, a sentence for people in both languages."""

from __future__ import annotations

from typing import Any

from ..errors import QingzhouError

TEXTS: dict[str, tuple[int, str, str]] = {
    "not_found": (404, "There is nothing here, or it has expired. Convert the model again.",
                  "这里没有内容，或者已经过期。请重新转换模型。"),
    "wrong_method": (405, "This address does not take that method. See /docs.",
                     "这个地址不支持这种请求方法。请看 /docs。"),
    "wrong_host": (421, "This server is not called by that name. Open it by the address that it printed.",
                   "这台服务器不叫这个名字。请用启动时显示的地址打开。"),
    "wrong_origin": (403, "The request came from another page. Open the converter itself, and try there.",
                     "请求来自另一个网页。请直接打开转换页面再试。"),
    "no_header": (403, "The header X-Qingzhou: 1 is missing, which requests that change something need.",
                  "缺少请求头 X-Qingzhou: 1，会改变内容的请求必须带上它。"),
    "code_needed": (401, "The class code is needed. Ask your teacher for it.", "需要班级口令，请向老师询问。"),
    "code_wrong": (401, "That is not the class code. Look again, also at capital letters.",
                   "班级口令不对，请再看一遍，注意大小写。"),
    "too_large": (413, "The file is too large for this server. Ask your teacher, or convert it with qingzhou convert.",
                  "文件超过了这台服务器的上限。请询问老师，或在自己的电脑上用 qingzhou convert 转换。"),
    "too_many": (429, "Too much at once from your device. Wait until your jobs are done, then try again.",
                 "你的设备同时提交得太多。请等已有的任务完成后再试。"),
    "busy": (503, "The server is busy with the others. Try again in a minute.", "服务器正忙，请一分钟后再试。"),
    "locked": (503, "Another program holds the server's records just now, a backup say. Try again in a minute.",
               "服务器的记录正被其他程序占用（例如备份），请一分钟后再试。"),
    "full": (507, "The server's disk is full. Tell the teacher; old files go by themselves after a while.",
             "服务器的磁盘满了。请告诉老师；旧文件过一段时间会自动删除。"),
    "too_slow": (408, "The upload was too slow and was given up. Try again nearer to the access point.",
                 "上传太慢，已中止。请靠近无线路由器后再试。"),
    "cut_off": (400, "The upload broke off. Try again.", "上传中断了，请重试。"),
    "bad_framing": (400, "The length of the request can be read in two ways. Send Content-Length, or Transfer-Encoding "
                    "in HTTP/1.1, and not both.",
                    "请求的长度可能有两种读法。请只用 Content-Length，或在 HTTP/1.1 中只用 Transfer-Encoding。"),
    "bad_request": (422, "The request is not as it should be. See /docs for what is expected.",
                    "请求的内容不正确。正确的格式见 /docs。"),
    "no_device": (422, "There is no such device; there are {}. Choose one of these.",
                  "没有这种设备，可选的有：{}。请从中选择。"),
    "no_scene": (422, "There is no such scene; there are {}. Choose one of these.",
                 "没有这个场景，可选的有：{}。请从中选择。"),
    "wrong_kind": (422, "Expected a model (.pth, .pt, .keras, .h5, .tflite, .pkl, .pickle, .joblib or .onnx), "
                   "or a .zip of pictures{}. Choose such a file.",
                   "应为模型文件（.pth、.pt、.keras、.h5、.tflite、.pkl、.pickle、.joblib 或 .onnx）"
                   "或图片压缩包（.zip）{}。请选择这样的文件。"),
    "needs_data": (422, "INT8 needs pictures to measure with. Upload a .zip of them.",
                   "INT8 量化需要用图片来测量。请上传图片压缩包（.zip）。"),
    "bad_report": (422, "That is no report of bench.py. Upload the report.json that it wrote.",
                   "这不是 bench.py 的报告。请上传它生成的 report.json。"),
    "not_ready": (409, "The job is not done yet. Wait until it is.", "任务还没有完成，请稍候。"),
    "internal": (500, "Something went wrong in the server; the teacher finds it in its log. Try again.",
                 "服务器内部出错，老师可以在日志中查看。请重试。"),
    # what becomes of jobs
    "out_of_memory": (500, "The job needed more memory than a job may have, and was ended. Convert this model on a "
                      "computer of your own: qingzhou convert", "任务需要的内存超过了上限，已被结束。"
                      "请在自己的电脑上用 qingzhou convert 转换这个模型。"),
    "timed_out": (500, "The job took longer than a job may, and was ended. Take fewer pictures or a smaller model, "
                  "or convert on a computer of your own.",
                  "任务用时超过了上限，已被结束。请减少图片数量，换小一些的模型，或在自己的电脑上转换。"),
    "killed": (500, "The job was ended from outside. Try again.", "任务被外部结束了。请重试。"),
    "crashed": (500, "The job crashed on this file. It may be damaged: copy it again, and try again.",
                "任务处理这个文件时崩溃了。文件可能已损坏，请重新复制后再试。"),
    "too_much_written": (500, "The job wrote more than a job may, and was ended. Convert on a computer of your own.",
                         "任务写入的数据超过了上限，已被结束。请在自己的电脑上转换。"),
    "worker_died": (500, "The worker died twice while it ran this job. Try again later.",
                    "运行这个任务的进程两次意外结束。请稍后再试。"),
    # what is wrong with archives
    "no_zip": (422, "The pictures are in {}; expected a .zip. Unpack it, and pack the folder as .zip: in Windows by "
               "“Send to, Compressed folder”, on a Mac by “Compress”.",
               "图片文件是{}，应为 .zip。请解压后把文件夹重新压缩成 .zip：Windows 右键“发送到 → 压缩文件夹”，"
               "Mac 选“压缩”。"),
    "zip_locked": (422, "The .zip is locked with a password; expected one without. Pack the folder again.",
                   "压缩包设了密码，应为没有密码的压缩包。请重新压缩文件夹。"),
    "zip_method": (422, "The .zip is packed by {}, which is not read here; expected an ordinary one (Deflate). Pack "
                   "the folder again by the system itself, or with the method Deflate.",
                   "压缩包使用了 {} 压缩方法，这里不能读取，应为普通的 .zip（Deflate）。请用系统自带的压缩功能，"
                   "或选择 Deflate 方法重新压缩。"),
    "zip_many": (422, "The .zip holds {} files, more than are taken. Some hundred pictures are enough: pack fewer.",
                 "压缩包里有 {} 个文件，超过了上限。几百张图片就足够了，请减少后重新压缩。"),
    "zip_large": (422, "The .zip unpacks to more than {} MB, which is more than is taken, or than so small a file of "
                  "pictures ever holds. Pack fewer or smaller pictures.",
                  "压缩包解压后超过 {} MB，超过了上限，或者与压缩包的大小不相称。请减少或缩小图片后重新压缩。"),
    "zip_names": (422, "The .zip holds {}, as no folder of pictures has. Pack the folder of pictures again.",
                  "压缩包里有 {}，正常的图片文件夹不会这样。请重新压缩图片文件夹。"),
    "zip_damaged": (422, "The .zip is damaged or cut off; expected a complete one. Upload or pack it again.",
                    "压缩包已损坏或不完整。请重新上传，或重新压缩。"),
    "zip_empty": (422, "The .zip holds no pictures that can be read, but: {}. Pack pictures as JPEG or PNG; an "
                  "iPhone's HEIC is saved as JPEG first.",
                  "压缩包里没有能读取的图片，只有：{}。请压缩 JPEG 或 PNG 图片；iPhone 的 HEIC 请先另存为 JPEG。"),
}  # fmt: skip


class Problem(Exception):
    """A request, or a job, that was refused: one of TEXTS, with what was found in its {}."""

    def __init__(self, code: str, en: str = "", zh: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.status, text_en, text_zh = TEXTS[code]
        self.en, self.zh = text_en.format(en), text_zh.format(zh or en)

    @property
    def headers(self) -> dict[str, str]:
        """When to come again, where that helps."""
        return {"Retry-After": "20"} if self.status in (429, 503) else {}

    def as_dict(self) -> dict[str, str]:
        """{"code", "en", "zh"}"""
        return {"code": self.code, "en": self.en, "zh": self.zh}


def told(err: QingzhouError) -> dict[str, str]:
    """An error of the verbs in the same form; its class is the code."""
    return {"code": type(err).__name__, "en": err.en, "zh": err.zh}


def body(error: dict[str, str]) -> dict[str, Any]:
    """What is answered."""
    return {"error": error}
