// The Interpolate tab, 2: the preview. The film strip comes first and plays at once; then the frames between, twice as
// many each time. `shots` holds them by the part of the film, 0 to 1.
const STRIP = 12, MOST_SHOTS = 193, AT_ONCE = 24;
const screen = h('img', { id: 'interpolate-preview', alt: T('i_preview') });
const frame = h('div', { class: 'im-frame im-frame-small' }, screen);
const film = h('div', { class: 'im-film', id: 'interpolate-film', role: 'group', 'aria-label': T('i_film') });
let shots = new Map(), order = [], knots = [], playing = false, started = 0, at = 0; // at: the part in sight

const nearestShot = (part) => { // the last one at or before it
  let low = 0, high = order.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (order[middle] <= part + 1e-9) low = middle; else high = middle - 1;
  }
  return shots.get(order[low]);
};
const show = (part) => {
  at = part;
  const src = order.length ? nearestShot(part) : null;
  if (src && screen.src !== src) screen.src = src;
  scrub.value = part;
  const now = (part * seconds()).toFixed(1);
  clock.textContent = `${now} / ${seconds().toFixed(1)} s`;
  scrub.setAttribute('aria-valuetext', T('i_at', { seconds: now }));
};
const tick = (now) => {
  if (!playing || !root.isConnected) return;
  const total = seconds();
  const passed = hearing() ? player.currentTime : (now - started) / 1000;
  if (passed >= total) { started = now; if (hearing()) player.currentTime = 0; }
  show(Math.min(1, (passed % total) / total));
  requestAnimationFrame(tick);
};
let stopped = false; // by the visitor, who then starts it again
const stop = () => { stopped = true; setPlaying(false); };
const play = button('interpolate-play', T('i_play'), 'play', () => { stopped = playing; setPlaying(!playing); });
const setPlaying = (on) => {
  if (on === playing) return;
  playing = on;
  play.setAttribute('aria-pressed', playing);
  play.replaceChildren(D.icon(playing ? 'pause' : 'play'), h('span', {}, T(playing ? 'i_pause' : 'i_play')));
  const from = at >= 1 ? 0 : at;
  listen(playing, from * seconds());
  if (!playing) return;
  started = performance.now() - from * seconds() * 1000;
  requestAnimationFrame(tick);
};
const scrub = h('input', { type: 'range', id: 'interpolate-scrub', min: 0, max: 1, step: 0.001, value: 0, 'aria-label': T('i_time') });
scrub.addEventListener('input', () => { stop(); show(+scrub.value); });
for (const event of ['loadeddata', 'play', 'load']) { // the film itself is in sight: one moving picture is enough
  document.addEventListener(event, ({ target }) => { if (target.closest?.('#interpolate-video')) setPlaying(false); }, true);
}
const clock = h('output', { class: 'im-value', id: 'interpolate-clock' });
const marks = h('div', { class: 'in-marks', 'aria-hidden': 'true' });
const paintMarks = () => {
  const total = knots[knots.length - 1] || 1;
  marks.replaceChildren(...(alone() ? [] : knots).map((knot) => h('i', { style: `left:${100 * knot / total}%` })));
};

const parts = (count) => Array.from({ length: returns() ? count : count + 1 }, (_, index) => index / count);
const fetchShots = async (list, of) => {
  for (let start = 0; start < list.length; start += AT_ONCE) {
    const some = list.slice(start, start + AT_ONCE);
    const answer = await D.ask(server.film, { timeline: wanted(), parts: some, side: 256 });
    if (of !== version) return false;
    if (!told(answer)) return false;
    some.forEach((part, index) => shots.set(part, answer.images[index]));
    order = [...shots.keys()].sort((a, b) => a - b);
    if (start === 0) { knots = answer.knots; paintMarks(); paintTimes(); }
  }
  return true;
};
const load = D.newest(async (of) => {
  if (of !== version) return;
  const list = parts(STRIP);
  film.classList.add('in-waiting');
  const first = new Map(shots);
  shots = new Map();
  const fine = await fetchShots(list, of);
  film.classList.remove('in-waiting');
  if (!fine) { if (of === version) shots = first; return; }
  film.replaceChildren(...list.map((part, index) => h('button', {
    type: 'button', 'aria-label': `${T('i_frame')} ${index + 1}`, onclick: () => { stop(); show(part); },
  }, h('img', { src: shots.get(part), alt: '' }))));
  show(Math.min(at, 1));
  for (let count = 2 * STRIP; count <= Math.min(MOST_SHOTS, frameCount()); count *= 2) {
    if (!(await fetchShots(parts(count).filter((part) => !shots.has(part)), of))) return;
  }
});
onPaint.push(() => { play.disabled = scrub.disabled = !enough(); });
onChange.push((of) => {
  if (enough()) { show(at); load(of); return; }
  shots = new Map(); order = []; knots = [];
  film.replaceChildren();
  paintMarks();
  show(0);
  if (keys.length) screen.src = keys[0].image; else screen.removeAttribute('src');
  setPlaying(false);
  say(T(alone() ? 'i_one' : keys.length ? 'i_another' : 'i_two'));
});
