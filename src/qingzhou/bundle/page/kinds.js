// Of each kind of raw predictions: the outputs that a level has (none where there is one output without levels), what a
// card has to say besides, and whether boxes are cut at the picture's border. The same table as KINDS in runtime/model/decoding.py; a test compares them.
export const KINDS = {
  "ssd": { "outputs": ["scores", "deltas"], "settings": ["stds", "candidates"], "cut": true },
  "yolo": { "outputs": ["scores"], "settings": ["confidence"], "cut": false },
  "ultralytics": { "outputs": [], "settings": [], "cut": false }
};
