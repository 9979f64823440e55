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
  async start() {
    this.stop();
    if (!navigator.mediaDevices?.getUserMedia) {
      throw Object.assign(new Error("no camera for this address"), { name: "Insecure" });
    }
    this.video.srcObject = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: this.facing }, width: { ideal: 640 }, height: { ideal: 480 } },
    });
    await this.video.play();
  }

  /** The other camera. */
  async turn() {
    this.facing = this.facing === "user" ? "environment" : "user";
    await this.start();
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
