// The map's canvas: thumbnails at places in [-1, 1], to be moved and zoomed by mouse, touch and keyboard.
const mapCanvas = ({ onpick, onopen, onempty, onwalk, onrest, name }) => {
  const canvas = h('canvas', { id: 'discover-map', class: 'im-map', tabindex: '0', role: 'application', 'aria-label': T('v_map_label'), 'aria-describedby': 'discover-map-help' });
  const paper = canvas.getContext('2d');
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  let places = [], from = [], images = [], cell = 0.1, began = 0;
  let view = { x: 0, y: 0, zoom: 1 }, at = -1, mark = null, planned = 0, rest = 0, generation = 0;

  const width = () => canvas.clientWidth, height = () => canvas.clientHeight;
  const unit = () => view.zoom * (Math.min(width(), height()) - 8) / (2 + cell); // pixels of 1 on the map
  const now = (index) => { // where a picture is, on its way from its last place
    const t = Math.min(1, (performance.now() - began) / 700), s = t * t * (3 - 2 * t);
    const [a, b] = [from[index] ?? places[index], places[index]];
    return [a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * s];
  };
  const screen = ([x, y]) => [width() / 2 + (x - view.x) * unit(), height() / 2 + (y - view.y) * unit()];
  const world = (x, y) => [view.x + (x - width() / 2) / unit(), view.y + (y - height() / 2) / unit()];

  const paint = () => {
    planned = 0;
    const ratio = window.devicePixelRatio || 1, [w, tall] = [Math.round(width() * ratio), Math.round(height() * ratio)];
    if (!w || !tall) return;
    if (canvas.width !== w || canvas.height !== tall) { canvas.width = w; canvas.height = tall; }
    paper.setTransform(ratio, 0, 0, ratio, 0, 0);
    paper.clearRect(0, 0, width(), height());
    const style = getComputedStyle(canvas), accent = style.getPropertyValue('--im-accent'), empty = style.getPropertyValue('--im-line');
    const scale = unit(), side = cell * scale * 0.94, [across, down] = [width(), height()]; // asked once: asking is slow
    const moving = performance.now() - began < 700;
    const put = (index, more = 0) => {
      const [px, py] = moving ? now(index) : places[index], s = side + more;
      const x = across / 2 + (px - view.x) * scale, y = down / 2 + (py - view.y) * scale;
      if (x < -s || y < -s || x > across + s || y > down + s) return;
      if (images[index]) paper.drawImage(images[index], x - s / 2, y - s / 2, s, s);
      else { paper.fillStyle = empty; paper.fillRect(x - s / 2, y - s / 2, s, s); }
      if (index !== at) return;
      paper.lineWidth = 3;
      paper.strokeStyle = accent;
      paper.strokeRect(x - s / 2 - 1.5, y - s / 2 - 1.5, s + 3, s + 3);
    };
    places.forEach((_, index) => { if (index !== at) put(index); });
    if (at >= 0 && at < places.length) put(at, Math.max(6, side * 0.25)); // on top, and a little larger
    if (mark) {
      const [x, y] = screen(mark);
      paper.beginPath();
      paper.arc(x, y, 9, 0, 7);
      paper.lineWidth = 3;
      paper.strokeStyle = accent;
      paper.stroke();
    }
    if (moving) plan();
  };
  const plan = () => {
    if (!planned) planned = requestAnimationFrame(paint);
    clearTimeout(rest);
    rest = setTimeout(() => onrest(visible(), cell * unit()), 250);
  };
  const visible = () => {
    const [left, top] = world(0, 0), [right, bottom] = world(width(), height());
    return places.map((_, index) => index).filter((index) => { const [x, y] = places[index]; return x > left && y > top && x < right && y < bottom; });
  };
  const hit = (x, y) => { // the picture on top there
    const [wx, wy] = world(x, y), half = 0.47 * cell;
    const on = (index) => Math.abs(places[index][0] - wx) <= half && Math.abs(places[index][1] - wy) <= half;
    if (places[at] && on(at)) return at;
    for (let index = places.length - 1; index >= 0; index--) if (on(index)) return index;
    return -1;
  };

  // -- moving and zooming ------------------------------------------------------------------------------
  const keep = () => { const reach = 1 + cell; view.x = Math.min(reach, Math.max(-reach, view.x)); view.y = Math.min(reach, Math.max(-reach, view.y)); };
  const zoomAt = (factor, x = width() / 2, y = height() / 2) => {
    const before = world(x, y);
    view.zoom = Math.min(24, Math.max(1, view.zoom * factor));
    const after = world(x, y);
    view.x += before[0] - after[0];
    view.y += before[1] - after[1];
    keep();
    plan();
  };
  const fit = () => { view = { x: 0, y: 0, zoom: 1 }; plan(); };
  const pan = (dx, dy) => { view.x -= dx / unit(); view.y -= dy / unit(); keep(); plan(); };
  const spot = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

  const fingers = new Map();
  let travelled = 0;
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    if (!fingers.size) travelled = 0;
    fingers.set(event.pointerId, spot(event));
  });
  canvas.addEventListener('pointermove', (event) => {
    const last = fingers.get(event.pointerId), here = spot(event);
    if (!last) {
      const index = hit(...here);
      canvas.style.cursor = index < 0 ? 'crosshair' : 'pointer';
      canvas.title = index < 0 ? '' : name(index);
      return;
    }
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    travelled += Math.hypot(here[0] - last[0], here[1] - last[1]);
    fingers.set(event.pointerId, here);
    if (other) {
      const spread = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
      zoomAt(spread(here) / spread(last), (here[0] + other[0]) / 2, (here[1] + other[1]) / 2);
    } else if (travelled > 5) { canvas.style.cursor = 'grabbing'; pan(here[0] - last[0], here[1] - last[1]); }
  });
  const lift = (event) => {
    if (!fingers.delete(event.pointerId) || fingers.size || travelled > 5 || event.type !== 'pointerup') return;
    const here = spot(event), index = hit(...here);
    if (index >= 0) pick(index); else empty(world(...here));
  };
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);
  canvas.addEventListener('dblclick', (event) => { const index = hit(...spot(event)); if (index >= 0) onopen(index); });
  canvas.addEventListener('wheel', (event) => {
    if (event.deltaY > 0 && view.zoom <= 1) return; // all is in sight: the page may scroll
    event.preventDefault();
    zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...spot(event));
  }, { passive: false });

  // -- choosing ----------------------------------------------------------------------------------------
  const pick = (index) => { at = index; mark = null; plan(); onpick(index); };
  const empty = (point) => { mark = point; at = -1; plan(); onempty(point); };
  const walk = (dx, dy) => { // to the nearest picture on that side
    const [x, y] = at < 0 ? [view.x, view.y] : places[at];
    let best = -1, least = Infinity;
    places.forEach(([px, py], index) => {
      if (index === at) return;
      const along = (px - x) * dx + (py - y) * dy, across = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      const cost = along + 2.5 * across;
      if ((at < 0 || along > 1e-6) && across <= Math.abs(along) * 1.5 && cost < least) [best, least] = [index, cost];
    });
    if (best < 0) return;
    at = best;
    mark = null;
    const [sx, sy] = screen(places[at]), edge = cell * unit();
    if (sx < edge || sy < edge || sx > width() - edge || sy > height() - edge) [view.x, view.y] = places[at];
    plan();
    onwalk(at);
  };
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrow && event.shiftKey) pan(-60 * arrow[0], -60 * arrow[1]);
    else if (arrow) walk(...arrow);
    else if (event.key === '+' || event.key === '=') zoomAt(1.4);
    else if (event.key === '-') zoomAt(1 / 1.4);
    else if (event.key === '0') fit();
    else if ((event.key === 'Enter' || event.key === ' ') && at >= 0) pick(at);
    else if (event.key.toLowerCase() === 'b') empty([view.x, view.y]);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(plan).observe(canvas);
  new MutationObserver(plan).observe(document.body, { attributes: true, attributeFilter: ['class'] }); // light, dark

  return {
    node: canvas, zoomAt, fit, middle: () => empty([view.x, view.y]),
    // Pictures at `wanted` places, going there from where they are; `fresh`: other pictures than before.
    place: (wanted, side, fresh) => {
      const before = fresh ? [] : places.map((_, index) => now(index));
      [places, from, cell] = [wanted, before, side];
      began = fresh || still.matches ? -1e9 : performance.now();
      if (fresh) { images = []; at = -1; mark = null; generation += 1; }
      plan();
    },
    picture: async (index, src) => { // decoded once, not anew for every frame
      const image = new Image(), of = generation;
      image.src = src;
      await image.decode();
      const bitmap = await createImageBitmap(image);
      if (of !== generation) return;
      images[index] = bitmap;
      plan();
    },
    where: (index) => screen(places[index]), // for tests
  };
};
