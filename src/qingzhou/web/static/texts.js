// What the page says, in the language of <html lang>.

export const zh = document.documentElement.lang.startsWith("zh");
export const lang = zh ? "zh" : "en";

const TEXTS = {
  // -- the model's file
  no_model: [
    "{0} is no model file. Choose one that a training leaves (.pth, .pt, .keras, .h5, .tflite, .mindir, .pkl, .pickle, .joblib, .json or .pdmodel with its .pdiparams, Teachable Machine’s .zip), or an .onnx.",
    "{0} 不是模型文件。请选择训练得到的文件（.pth、.pt、.keras、.h5、.tflite、.mindir、.pkl、.pickle、.joblib、.json 或 .pdmodel 与 .pdiparams、Teachable Machine 的 .zip），或者 .onnx 文件。",
  ],
  uploading: ["Uploading … {0} %", "正在上传…… {0} %"],
  reading: ["Looking into the file …", "正在查看文件……"],
  remove: ["Remove {0}", "移除 {0}"],
  again: ["Try again", "重试"],
  size: ["File", "文件"],
  input: ["Input", "输入"],
  parameters: ["Parameters", "参数量"],
  macs: ["Work per answer", "每次计算量"],
  classes: ["{0} classes", "{0} 个类别"],
  labels: ["Labels", "类别"],
  more: ["and {0} more", "还有 {0} 个"],
  training: ["How it was trained", "训练情况"],
  picture: ["{0} × {1} picture, {2}", "{0} × {1} 图片，{2}"],
  any_picture: ["picture of any size, {0}", "任意尺寸的图片，{0}"],
  GRAY: ["grey", "灰度"],
  RGB: ["colour", "彩色"],
  BGR: ["colour", "彩色"],
  table: ["a row of {0} numbers", "一行 {0} 个数"],
  array: ["numbers, {0}", "数组，{0}"],
  tokens: ["words", "文字"],
  classification: ["classification", "分类"],
  detection: ["object detection", "目标检测"],
  regression: ["regression", "回归"],
  generation: ["text generation", "文本生成"],
  values: ["values", "数值"],
  no_labels: [
    "The file does not say what its {0} classes are called. Write one name a line, in the order of training (the folders' names, sorted).",
    "文件里没有 {0} 个类别的名称。请按训练时的顺序（文件夹名排序）填写，每行一个。",
  ],
  label_count: ["{0} names were given; the model has {1} classes.", "填了 {0} 个名称，而模型有 {1} 个类别。"],
  rename: ["Rename the labels", "修改类别名称"],
  one_a_line: ["One label a line", "每行一个类别名称"],
  prepare: ["How pictures are prepared", "图片如何预处理"],
  way: ["Pixels", "像素"],
  way_file: ["as the file says, else as usual", "按文件所写；没写的按常用方法"],
  way_imagenet: ["ImageNet's mean and standard deviation", "ImageNet 的均值和标准差"],
  "way_0-1": ["from 0 to 1 (divided by 255)", "0 到 1（除以 255）"],
  "way_-1-1": ["from -1 to 1", "-1 到 1"],
  way_raw: ["as they are, 0 to 255", "不变，0 到 255"],
  input_size: ["Input size (height, width)", "输入尺寸（高, 宽）"],
  no_size: ["{0} is no size such as 224, 224.", "{0} 不是尺寸，例如 224, 224。"],
  // -- what a file says of its training
  t_tool: ["tool", "工具"],
  t_epoch: ["epochs", "轮数"],
  t_iter: ["steps", "迭代次数"],
  t_dataset_size: ["pictures", "训练数据量"],
  t_learning_rate: ["learning rate", "学习率"],
  t_time: ["date", "时间"],
  t_device: ["trained on", "训练设备"],
  t_backbone: ["network", "主干网络"],
  t_file: ["made from", "来自"],
  t_task: ["task", "任务"],
  // -- options
  step_device: ["Where will it run?", "在哪里运行？"],
  device: ["Device", "设备"],
  only_model: ["Only the model", "只要模型"],
  only_model_note: [".onnx and a program in Python", ".onnx 和 Python 程序"],
  scene: ["What will it do there?", "用来做什么？"],
  actions: ["What happens when it sees something?", "识别到以后做什么？"],
  actions_note: ["Not needed: the answer is always shown.", "可以不填：结果总会显示出来。"],
  add_action: ["Add an action", "添加动作"],
  remove_action: ["Remove this action", "删除这个动作"],
  when: ["When", "当"],
  any: ["anything is seen", "识别到任何一类"],
  value_above: ["the value is high", "数值较大时"],
  then: ["then", "就"],
  detail: ["Detail", "内容"],
  a_speak: ["say it aloud", "说出来"],
  a_print: ["print it", "打印出来"],
  a_show: ["show it on the screen", "显示在屏幕上"],
  a_sound: ["play a sound file", "播放声音文件"],
  a_pin: ["switch on pin", "打开引脚"],
  a_servo: ["turn the servo on pin", "转动舵机，引脚"],
  a_serial: ["send it by serial port", "通过串口发送"],
  a_mqtt: ["send it by MQTT (SIoT) to", "用 MQTT（SIoT）发送到"],
  a_http: ["call the address", "访问网址"],
  a_key: ["press the key", "按下按键"],
  smaller: ["Smaller and faster (INT8)", "更小更快（INT8）"],
  smaller_note: [
    "About a quarter of the size. Needs pictures like those it was trained with, best in one folder for each class: with them the accuracy is measured too.",
    "体积约为四分之一。需要与训练时相似的图片，最好每类一个文件夹，这样还能测出准确率。",
  ],
  choose_zip: ["Choose a .zip", "选择 .zip"],
  choose_folder: ["Choose a folder", "选择文件夹"],
  no_data: ["Choose the pictures for INT8, or switch INT8 off.", "请选择 INT8 所用的图片，或者关闭 INT8。"],
  no_zip: [
    "{0} is no .zip. Put the folder of pictures into a .zip, and choose that.",
    "{0} 不是 .zip。请把图片文件夹压缩成 .zip 再选择。",
  ],
  no_pictures: ["{0} is a model. Choose a .zip of pictures here.", "{0} 是模型。这里请选择图片的 .zip。"],
  empty_folder: ["There is no picture in this folder. Choose the folder that holds the classes.", "这个文件夹里没有图片。请选择存放各类别的文件夹。"],
  packing: ["Packing {0} of {1} …", "正在打包 {0} / {1}……"],
  have_data: ["{0} is here ({1}).", "已收到 {0}（{1}）。"],
  max_drop: ["Accuracy it may lose, in points", "允许下降的准确率（百分点）"],
  convert: ["Convert", "开始转换"],
  convert_all: ["Convert {0} models", "转换 {0} 个模型"],
  // -- a job
  queued: ["Waiting", "排队中"],
  ahead: ["{0} ahead of yours", "前面还有 {0} 个"],
  next: ["yours is next", "马上轮到你"],
  running: ["Working", "处理中"],
  done: ["Done", "完成"],
  failed: ["It did not work", "没有成功"],
  lost_server: ["The server does not answer; trying again …", "服务器没有应答，正在重试……"],
  open_page: ["Open its own page", "打开单独页面"],
  another: ["Convert another model", "转换另一个模型"],
  delete: ["Delete", "删除"],
  delete_sure: ["Delete {0} and all its files from the server?", "要从服务器上删除 {0} 和它的所有文件吗？"],
  deleted: ["{0} is deleted.", "{0} 已删除。"],
  expired: ["It is no longer on the server. Convert the file again.", "它已不在服务器上。请重新转换。"],
  // -- the report
  model_size: ["Size of the model", "模型大小"],
  was: ["was {0}", "原来 {0}"],
  accuracy: ["Accuracy", "准确率"],
  agreement: ["Same answers", "回答一致"],
  was_judged: ["was {0}, on {1} inputs", "原来 {0}，评估了 {1} 个"],
  speed: ["Speed here", "在服务器上的速度"],
  times: ["{0} ×", "{0} 倍"],
  was_ms: ["{0} ms, was {1} ms", "{0} 毫秒，原来 {1} 毫秒"],
  expected: ["On the device, about", "在设备上每秒大约"],
  a_second: ["{0} / s", "{0} 次"],
  plenty: ["over {0} / s", "超过 {0} 次"],
  memory: ["estimate; {0} MB of memory", "估计值；内存 {0} MB"],
  took: ["{0} s", "用时 {0} 秒"],
  checked: ["Checked", "已检查"],
  c_structure: ["structure", "结构"],
  c_runs: ["runs in onnxruntime", "能在 onnxruntime 中运行"],
  c_equals_module: ["answers as the network itself", "与原网络的回答一致"],
  c_equals_original: ["equals the unsimplified network", "与化简前的网络一致"],
  answered: ["What the model says", "模型的回答"],
  changed: ["Answers that INT8 changed", "INT8 以后变了的回答"],
  would_change: ["Answers that INT8 would change", "INT8 会改变的回答"],
  truth: ["truth: {0}", "实际：{0}"],
  take: ["Take it with you", "带走它"],
  f_bundle: ["Bundle: {0}", "部署包：{0}"],
  f_model: ["Model", "模型"],
  f_program: ["Program", "程序"],
  f_all: ["Model and program, all in one", "模型和程序，打包在一起"],
  f_report: ["Report", "报告"],
  f_page: ["Page", "网页"],
  device_notes: ["Good to know about the device", "关于这个设备"],
  how_pc: [
    "Unpack it. On Windows open install.bat, then run py main.py; on Linux and macOS sh install.sh, then python3 main.py.",
    "解压后，Windows 双击 install.bat，再运行 py main.py；Linux、macOS 运行 sh install.sh，再运行 python3 main.py。",
  ],
  how_board: [
    "Copy it to the board and unpack it there. Run sh install.sh once, then python3 main.py. README.md inside tells more.",
    "复制到板子上解压，先运行一次 sh install.sh，再运行 python3 main.py。里面的 README.md 有更多说明。",
  ],
  how_browser: [
    "Unpack it, run python serve.py in the folder, and open the address it shows, on phones as well.",
    "解压后在文件夹里运行 python serve.py，再打开它显示的网址，手机也可以。",
  ],
  share: ["Address of this page: keep it, or open it on another device", "本页网址：请保存，也可以在其他设备上打开"],
  copy: ["Copy", "复制"],
  copied: ["Copied.", "已复制。"],
  // -- try it
  try_it: ["Try it here", "马上试一试"],
  try_note: [
    "The model runs in this browser. Your pictures stay on this device.",
    "模型就在这个浏览器里运行，图片不会离开这台设备。",
  ],
  try_start: ["Start the model", "启动模型"],
  try_loading: ["Loading the model … {0} %", "正在加载模型…… {0} %"],
  try_engine: ["Starting the engine …", "正在启动推理引擎……"],
  try_ready: ["Ready.", "准备好了。"],
  try_checked: ["Ready. The model's own sample gives the same answer as on the server.", "准备好了。自带示例的结果与服务器上的一致。"],
  try_differs: [
    "The model's own sample gives another answer in this browser (difference {0}). Do not trust it here; try another browser.",
    "自带示例在这个浏览器里的结果不一致（相差 {0}）。请不要相信这里的结果，换一个浏览器再试。",
  ],
  try_broken: [
    "The model cannot be started in this browser: {0}. Take a newer browser, or run the downloaded model.",
    "无法在这个浏览器里启动模型：{0}。请换用新版浏览器，或下载后运行。",
  ],
  insecure: [
    "Browsers allow the live camera only on https:// addresses and on this computer itself. Use “Take or choose a picture”: a phone opens its own camera for it.",
    "浏览器只在 https:// 网址或本机上允许使用实时摄像头。请用“拍照或选择图片”，手机会打开自己的相机。",
  ],
  choices: ["What to look at", "选择输入"],
  // -- the list
  clear: ["Clear the list", "清空记录"],
  // -- the board
  network: ["Model", "模型"],
  engine: ["Engine", "引擎"],
  precision: ["Precision", "精度"],
  fps: ["Per second", "每秒次数"],
  p50: ["ms", "毫秒"],
  p95: ["ms, p95", "毫秒，p95"],
  file: ["File", "文件"],
  memory_used: ["Memory", "内存"],
  temperature: ["°C", "°C"],
  boards: ["Boards", "板数"],
  from: ["From", "来源"],
  hot: ["hot", "过热"],
  hot_note: ["the board has slowed itself down", "板子已自动降频"],
  measured: ["measured", "实测"],
  published: ["published", "公布"],
  emulated: ["emulated", "模拟"],
  all: ["All", "全部"],
  rows: ["{0} rows", "{0} 行"],
  none_yet: ["Nobody has added a board yet. Yours can be the first.", "还没有人添加。你可以成为第一个。"],
  added: ["Added: {0}", "已添加：{0}"],
  no_report: [
    "{0} is no report. Choose the report.json that bench.py has written on the board.",
    "{0} 不是报告。请选择 bench.py 在板子上写出的 report.json。",
  ],
  // -- the server
  no_server: [
    "The server does not answer. Is this computer in the school's network? Nothing is lost; try again.",
    "服务器没有应答。这台电脑连上学校的网络了吗？已完成的不会丢失，请重试。",
  ],
  bad_answer: [
    "The server gave an answer that this page cannot read (status {0}). Load the page again; if it stays, tell your teacher.",
    "服务器的回答无法识别（状态 {0}）。请刷新页面；如果还这样，请告诉老师。",
  ],
};

/** A text with its {0}, {1} filled in. */
export function say(key, ...values) {
  return TEXTS[key][zh ? 1 : 0].replace(/\{(\d)\}/g, (_, i) => values[i]);
}

/** Whether there is such a text. */
export function known(key) {
  return Object.hasOwn(TEXTS, key);
}

/** What an object {en, zh} says. */
export function spoken(both) {
  return both?.[lang] ?? both?.en ?? "";
}

// -- numbers ---------------------------------------------------------------------------------------------------------

/** Bytes -> 14.2 MB, of a thousand. */
export function bytes(number) {
  for (const [unit, least] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (number >= least) return `${plain(number / least)} ${unit}`;
  }
  return `${number} B`;
}

/** 2228996 -> 2.23 million. */
export function count(number) {
  if (zh) return number >= 1e8 ? `${plain(number / 1e8)} 亿` : number >= 1e4 ? `${plain(number / 1e4)} 万` : `${number}`;
  for (const [unit, least] of [["billion", 1e9], ["million", 1e6], ["thousand", 1e3]]) {
    if (number >= least) return `${plain(number / least)} ${unit}`;
  }
  return `${number}`;
}

/** Three digits that count: 0.0123, 45.7, 1234. */
export function plain(number) {
  return Math.abs(number) >= 1000 ? Math.round(number).toLocaleString("en") : String(Number(number.toPrecision(3)));
}

/** 0.98189 -> 98.19 %. */
export function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}
