// Boxes that show the same thing, of which the best one stays, as overlap.py of the Python runtime chooses them.

const f = Math.fround;

/**
 * Non-maximum suppression: a box goes if it overlaps a better one of its label by more than `iou` of what both cover.
 * Of equal scores and labels the first; at most `most` stay, best first.
 */
export function nms(found, iou, most) {
  const order = found.filter(({ score }) => score > -Infinity);
  order.sort((a, b) => b.score - a.score || a.label - b.label);
  const kept = [];
  for (const one of order) {
    if (kept.length >= most) break;
    const gone = kept.some((better) => better.label === one.label && overlap(better.box, one.box) > f(iou));
    if (!gone) kept.push(one);
  }
  return kept;
}

function overlap(a, b) {
  const shared = f(side(a[0], a[2], b[0], b[2]) * side(a[1], a[3], b[1], b[3]));
  return f(shared / f(f(area(a) + area(b)) - shared)); // 0 / 0 of boxes without an area is no overlap
}

function side(start, end, otherStart, otherEnd) {
  return Math.max(0, f(Math.min(end, otherEnd) - Math.max(start, otherStart)));
}

function area([x1, y1, x2, y2]) {
  return f(f(x2 - x1) * f(y2 - y1));
}
