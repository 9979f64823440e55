// The camera: asked for when it is wanted, and given back when it is not.

import { pixelsOf } from "./picture.js";

/** A camera that shows itself in a <video>. */
export class Camera {
  constructor(video) {
    this.video = video;
    this.facing = "environment"; // the one at the back of a phone
  }

  get running() {
    return Boolean(this.video.srcObject);
  }

  /** Start it; an Error named as getUserMedia names it, or "Insecure" where the browser has none for this address. */
  async start(which = { facingMode: { ideal: this.facing } }) {
    this.stop();
    if (!navigator.mediaDevices?.getUserMedia) {
      throw Object.assign(new Error("no camera for this address"), { name: "Insecure" });
    }
    this.video.srcObject = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { ...which, width: { ideal: 640 }, height: { ideal: 480 } },
    });
    await this.video.play();
  }

  /** The other camera: front or back; where they do not say which they are, the next one. */
  async turn() {
    const before = this.device;
    this.facing = this.facing === "user" ? "environment" : "user";
    await this.start();
    if (this.device !== before) return;
    const devices = await cameras();
    const next = devices[(devices.indexOf(before) + 1) % devices.length];
    if (next !== before) await this.start({ deviceId: { exact: next } });
  }

  /** The id of the one that runs. */
  get device() {
    return this.video.srcObject?.getVideoTracks()[0].getSettings().deviceId;
  }

  async isOneOfSeveral() {
    return (await cameras()).length > 1;
  }

  stop() {
    for (const track of this.video.srcObject?.getTracks() ?? []) track.stop();
    this.video.srcObject = null;
  }

  /** The picture that it shows now, or null before the first. */
  frame() {
    const { videoWidth, videoHeight } = this.video;
    return videoWidth ? pixelsOf(this.video, videoWidth, videoHeight) : null;
  }
}

/** The ids of all cameras; browsers tell them once one of them was allowed. */
async function cameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
}
