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
  insecure: [
    "This address begins with http://, where browsers allow no live camera and keep nothing for use without a network. “Take or choose a picture” works: a phone opens its own camera for it. What helps: https (python serve.py --https, GitHub Pages, Gitee Pages, the school’s server), or localhost.",
    "这个网址以 http:// 开头，浏览器在这里不允许实时摄像头，也不会保存网页供断网使用。“拍照或选择图片”可以用，手机会打开自己的相机。解决办法：用 https（python serve.py --https、GitHub Pages、Gitee Pages、学校的服务器），或 localhost。",
  ],
  install: ["Install as an app", "安装为应用"],
  kept: ["Kept on this device: the page also opens without a network.", "已保存在这台设备上，断网也能打开。"],
  not_kept: [
    "Not kept for use without a network ({0}); all else works.",
    "没有保存供断网使用（{0}），其他功能不受影响。",
  ],
  old_kept: [
    "A newer version is there but could not be loaded whole; this is the one before it. Load the page again later.",
    "有新版本，但没有完整下载；现在显示的是上一个版本。请稍后重新加载。",
  ],
  newer: ["A newer version of this page is there.", "这个网页有新版本。"],
  take_newer: ["Use it now", "现在使用"],
  speak: ["Read answers aloud", "朗读结果"],
  speaking: ["Answers are read aloud.", "开始朗读结果。"],
  no_voice: [
    "This device has no English voice; it may stay silent or speak with another. Add one in the system’s settings for speech.",
    "这台设备没有中文语音，可能不出声，或用别的语音。请在系统的语音（文字转语音）设置里添加。",
  ],
  gap: [" ", ""],
  comma: [", ", "，"],
  times: ["{0} × {1}", "{0} 个{1}"],
  code: ["QR code", "二维码"],
  scan: ["Open this page on a phone: let its camera look at the code.", "用手机相机扫描二维码，打开这个网页。"],
  only_here: [
    "This address is for this computer alone. Start python serve.py without --only-here, in the phones’ network.",
    "这个网址只能在这台电脑上打开。请让电脑和手机在同一网络，运行 python serve.py（不加 --only-here）。",
  ],
  own_file: [
    "This page is a file on this device and has no address. Send the file itself, or put the folder on a web server.",
    "这个网页是本机上的一个文件，没有网址。请直接发送这个文件，或把文件夹放到网站上。",
  ],
  close: ["Close", "关闭"],
  trying: ["Trying whether the graphics processor is faster …", "正在试图形处理器是否更快……"],
  faster: [
    "{0} is used: {1} ms for the network, {2} ms on the processor; the answers are equal.",
    "正在使用 {0}：网络每次 {1} 毫秒，处理器 {2} 毫秒；结果相同。",
  ],
  not_faster: ["The processor is used ({0} ms); {1} was not faster.", "正在使用处理器（{0} 毫秒）；{1} 没有更快。"],
  not_equal: [
    "The processor is used: {0} gave other answers on this device.",
    "正在使用处理器：{0} 在这台设备上给出了不同的结果。",
  ],
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
