// What the page says, in the language of <html lang>.

const TEXTS = {
  loading: ["Loading the model … {0} of {1} MB", "正在加载模型…… {0} / {1} MB"],
  engine: ["Starting the engine …", "正在启动推理引擎……"],
  ready: ["Ready. The model runs on this device; pictures do not leave it.", "准备好了。模型就在这台设备上运行，图片不会离开它。"],
  checked: ["Self-test passed.", "自检通过。"],
  failed_check: [
    "The self-test failed: the answer to the model's own sample differs by {0}. Do not trust this page on this device; try another browser.",
    "自检没有通过：对自带示例的回答相差 {0}。请不要相信这个页面在这台设备上的结果，换一个浏览器再试。",
  ],
  broken: [
    "The model cannot be opened: {0}. Load the page again, or make the bundle again.",
    "无法打开模型：{0}。请重新加载页面，或重新生成这个文件夹。",
  ],
  camera: ["Live camera", "实时摄像头"],
  stop: ["Stop", "停止"],
  turn: ["Other camera", "切换摄像头"],
  photo: ["Take or choose a picture", "拍照或选择图片"],
  sample: ["Try the sample", "试试示例"],
  hint: ["Or drop a picture here.", "也可以把图片拖到这里。"],
  threshold: ["Least confidence", "最低置信度"],
  network: ["{0} pictures a second, {1} ms each", "每秒 {0} 张，每张 {1} 毫秒"],
  once: ["{0} ms", "{0} 毫秒"],
  nothing: ["Nothing found. Lower the least confidence to see more.", "没有找到目标。把最低置信度调低可以看到更多。"],
  found: ["{0} found", "找到 {0} 个"],
  predict: ["Predict", "预测"],
  numbers: ["{0} numbers, with commas or spaces between them", "{0} 个数，用逗号或空格隔开"],
  any_numbers: ["Numbers, with commas or spaces between them", "一些数，用逗号或空格隔开"],
  feature: ["Feature {0}", "第 {0} 个特征"],
  no_number: ["“{0}” is no number. Write numbers such as 5.1.", "“{0}” 不是数。请输入像 5.1 这样的数。"],
  count: ["{0} numbers were given; the model takes the shape {1}.", "输入了 {0} 个数，而模型需要的形状是 {1}。"],
  words: ["The model knows {0} words, among them: {1}", "模型认识 {0} 个字词，例如：{1}"],
  start: ["Beginning of the text", "开头的文字"],
  length: ["Words to add", "续写的字词数"],
  go_on: ["Continue", "续写"],
  unknown: ["The model has never seen “{0}”. Use only words it knows: {1} …", "模型没有学过“{0}”。请只用它认识的，例如：{1}……"],
  no_picture: [
    "{0} is no picture that this browser can read. Choose a JPEG or PNG.",
    "{0} 不是这个浏览器能读取的图片。请选择 JPEG 或 PNG。",
  ],
  failed: ["It did not work: {0}", "出错了：{0}"],
  Insecure: [
    "Browsers allow the live camera only on https:// addresses and on localhost. On this address use “Take or choose a picture”: a phone opens its own camera for it. With python serve.py --https the live camera works as well.",
    "浏览器只在 https:// 网址和 localhost 上允许使用实时摄像头。在这个网址上请用“拍照或选择图片”，手机会打开自己的相机。用 python serve.py --https 启动后也能用实时摄像头。",
  ],
  NotAllowedError: [
    "The camera was not allowed. Allow it in the address bar of the browser, then press the button again.",
    "没有获得摄像头权限。请在浏览器地址栏里允许使用摄像头，再按一次按钮。",
  ],
  NotFoundError: ["There is no camera on this device. Choose a picture instead.", "这台设备没有摄像头。请改为选择图片。"],
  NotReadableError: ["Another program uses the camera. Close it and try again.", "摄像头正被其他程序使用。请关闭它再试。"],
  odd_transparent: [
    "Parts of the picture are transparent; the model sees the colour hidden there, often black. Save it without.",
    "图片有透明的部分，模型看到的是那里隐藏的颜色（常常是黑色）。请去掉透明再保存。",
  ],
  odd_blank: [
    "The picture is nearly of one colour: there is nothing to recognise. Check it, or the camera's lens.",
    "图片几乎只有一种颜色，没有可识别的内容。请检查图片，或摄像头的镜头。",
  ],
  odd_inverted: [
    "Light and dark are the other way round than in the pictures of training. Invert the picture.",
    "明暗与训练图片相反（例如白底黑字与黑底白字）。请把图片反色。",
  ],
  odd_dark: [
    "The picture is much darker than those of training. Take it in more light.",
    "图片比训练图片暗得多。请在更亮的地方拍摄。",
  ],
  odd_bright: [
    "The picture is much brighter than those of training. Take it in less light, or on another ground.",
    "图片比训练图片亮得多。请减弱光线，或换一个背景。",
  ],
  odd_pale: [
    "The picture has much less contrast than those of training. Check the light and the focus.",
    "图片的对比度比训练图片低得多。请检查光线和对焦。",
  ],
  shown: ["The picture that was judged", "被识别的图片"],
  lost: ["The camera was lost. Plug it in and press the button again.", "摄像头断开了。请接好后再按一次按钮。"],
};

/** A text with its {0}, {1} filled in. */
export function say(key, ...values) {
  const zh = document.documentElement.lang.startsWith("zh");
  return TEXTS[key][zh ? 1 : 0].replace(/\{(\d)\}/g, (_, i) => values[i]);
}

/** Whether there is such a text. */
export function known(key) {
  return Object.hasOwn(TEXTS, key);
}

/** Another text instead of one of these, in the page's language, for pages that are served otherwise. */
export function change(key, text) {
  TEXTS[key] = [text, text];
}
