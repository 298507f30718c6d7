// Everything that goes to the server of this machine and comes back; nothing goes anywhere else.

export async function get(name, query = {}) {
  return understood(await fetch(address(name, query), { cache: "no-store" }));
}

export async function post(name, content = {}) {
  return understood(await send(name, content));
}

// A picture that is fetched on purpose, and logged by that: never by an address that could be followed again.
export async function postForPicture(name, content) {
  const answer = await send(name, content);
  if (!answer.ok) await understood(answer);
  return createImageBitmap(await answer.blob());
}

// Moments in a row, each {second, shots: [{camera, state, frame, second, until, why, picture}]}.
export async function* moments(query, signal) {
  const answer = await fetch(address("moments", query), { cache: "no-store", signal });
  if (!answer.ok) await understood(answer);
  const bytes = new Bytes(answer.body.getReader());
  for (;;) {
    const head = await bytes.take(4, true);
    if (head === null) return;
    const about = await headed(bytes, head);
    const shown = await Promise.all((await pieces(bytes, about.shots)).map(picture));
    yield { second: about.second, shots: about.shots.map((shot, i) => ({ ...shot, picture: shown[i] })) };
  }
}

// The tiles of a case, each {camera, box, seconds, why, pictures}.
export async function glance(id) {
  const answer = await fetch(address("glance", { case: id }), { cache: "no-store" });
  if (!answer.ok) await understood(answer);
  const bytes = new Bytes(answer.body.getReader());
  const { tiles } = await headed(bytes, await bytes.take(4));
  const found = [];
  for (const tile of tiles) {
    const pictures = [];
    for (const size of tile.bytes) pictures.push(await picture(await bytes.take(size)));
    found.push({ ...tile, pictures });
  }
  return found;
}

// What the JSON says whose length begins an answer's part.
async function headed(bytes, head) {
  const size = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  return JSON.parse(new TextDecoder().decode(await bytes.take(size)));
}

async function pieces(bytes, shots) {
  const found = [];
  for (const shot of shots) found.push(shot.bytes ? await bytes.take(shot.bytes) : null);
  return found;
}

async function picture(bytes) {
  return bytes === null ? null : createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
}

class Bytes {
  constructor(reader) {
    this.reader = reader;
    this.parts = [];
    this.size = 0;
  }

  async take(size, mayEnd = false) {
    while (this.size < size) {
      const { done, value } = await this.reader.read();
      if (done) {
        if (mayEnd && this.size === 0) return null;
        throw new Error("The answer ended early.");
      }
      this.parts.push(value);
      this.size += value.length;
    }
    const taken = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const part = this.parts[0];
      const used = part.subarray(0, size - at);
      taken.set(used, at);
      at += used.length;
      if (used.length === part.length) this.parts.shift();
      else this.parts[0] = part.subarray(used.length);
    }
    this.size -= size;
    return taken;
  }
}

function address(name, query) {
  return `api/${name}?${new URLSearchParams(query)}`;
}

function send(name, content) {
  const headers = { "Content-Type": "application/json" };
  return fetch(`api/${name}`, { method: "POST", cache: "no-store", headers, body: JSON.stringify(content) });
}

async function understood(answer) {
  if (answer.status === 403) throw new Error("This page is no longer let in. Open the printed address again.");
  const content = await answer.json().catch(() => ({ error: `The server answered ${answer.status}.` }));
  if (!answer.ok) throw new Error(content.error || `The server answered ${answer.status}.`);
  return content;
}
