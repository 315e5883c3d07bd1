// The map: many seeds by similarity. Pictures come first, in rows; they move to their places when these are known.
const mapView = (() => {
  const THUMB = 64;
  let recipes = [], placed = null, sources = [], sharp = new Set(), side = 0.1, done = '', first = 0;
  const alone = (of) => recipes[of].seeds[0][0];
  const spec = () => ({ model: model.name, first: first = D.readSeed(firstBox) ?? first, count: +countBox.value, psi: psi.value, label: label(), by: byBox.value });

  const board = mapCanvas({
    onpick: (index) => { choose(recipes[index], sources[index]); say(''); },
    onopen: (index) => D.open('explore', { recipe: { ...D.clone(blank), ...D.clone(recipes[index]) } }),
    name: (index) => describe(recipes[index]),
    onwalk: (index) => say(T('v_map_at', { seed: alone(index), number: index + 1, total: recipes.length })),
    onempty: (point) => blendAt(point),
    onrest: (indices, pixels) => sharpen(indices, pixels),
  });
  const blendAt = D.newest(async (point, newest) => {
    if (!placed) return; // not arranged yet
    const wanted = spec(), same = () => view === mapView && JSON.stringify(spec()) === JSON.stringify(wanted);
    const answer = await ask(server.around, { ...wanted, point, tidy: tidy.checked });
    if (!answer || !newest() || !same()) return; // of another model by now
    choose(answer.recipe);
  });
  const sharpen = D.newest(async (indices, pixels) => { // larger pictures where the map is zoomed in
    const wanted = indices.filter((index) => sources[index] && !sharp.has(index)).slice(0, 24);
    if (!model || pixels < 1.5 * THUMB || model.resolution <= THUMB || !wanted.length) return;
    const of = done;
    await pictures(wanted.map((index) => recipes[index]), 256, (at, src) => {
      sharp.add(wanted[at]);
      board.picture(wanted[at], src);
    }, () => of === done && root.isConnected, { quiet: true });
  });

  // -- controls ----------------------------------------------------------------------------------------
  const countBox = h('select', { id: 'discover-map-count', 'aria-label': T('v_count'), onchange: () => open() });
  D.options(countBox, [64, 144, 256, 529, 1024].map((n) => [n, n]), 256);
  const firstBox = h('input', { id: 'discover-map-first', type: 'number', min: 0, max: MOST_SEED - 1024, step: 1, value: '0', 'aria-label': T('v_first'),
    onchange: () => { if (D.readSeed(firstBox) === null) say(T('c_limits_whole', { name: T('v_first'), low: 0, high: firstBox.max }), true); else open(); } });
  const byBox = h('select', { id: 'discover-map-by', 'aria-label': T('v_by'), onchange: () => open() });
  D.options(byBox, [['w', T('v_by_w')], ['look', T('v_by_look')]], 'look');
  const tidy = h('input', { id: 'discover-map-tidy', type: 'checkbox', onchange: () => settle() });
  const other = button('discover-map-random', T('v_elsewhere'), 'random', () => { firstBox.value = String(D.randomSeed()); open(); });
  const run = D.runs('discover-map-cancel', T, say, () => { done = ''; });

  // -- making it ---------------------------------------------------------------------------------------
  const rows = () => { const n = Math.ceil(Math.sqrt(recipes.length)); return recipes.map((_, i) => [2 * (i % n) / (n - 1) - 1, 2 * Math.floor(i / n) / (n - 1) - 1]); };
  const settle = () => { if (placed) board.place(tidy.checked ? placed.tidy : placed.cloud, tidy.checked ? side : 0.8 * side, false); };
  const arranged = async (wanted, alive) => { // asked for until it is there
    for (;;) {
      const answer = await D.ask(server.map, wanted);
      if (!alive()) return null;
      if (answer.error) { say(answer.error, true); return null; }
      if (answer.cloud) return answer;
      say(T(`v_stage_${answer.stage}`, { share: Math.round(100 * answer.share) }));
      await new Promise((then) => setTimeout(then, 300));
      if (!alive()) return null;
    }
  };
  const open = async () => {
    const wanted = spec(), key = JSON.stringify(wanted);
    if (key === done) return;
    const alive = run.start();
    const fresh = JSON.stringify({ ...wanted, by: '' }) !== (done && JSON.stringify({ ...JSON.parse(done), by: '' }));
    done = key;
    placed = null;
    if (fresh) {
      recipes = Array.from({ length: wanted.count }, (_, index) => ({ ...plain(wanted.first + index),
        label: model.classes.length ? wanted.label ?? index % model.classes.length : null }));
      [sources, sharp] = [[], new Set()];
      side = 2 / (Math.ceil(Math.sqrt(recipes.length)) - 1);
      board.place(rows(), side, true);
      board.fit();
    }
    const draw = async () => {
      const missing = recipes.map((_, index) => index).filter((index) => !sources[index]);
      return pictures(missing.map((index) => recipes[index]), THUMB, (at, src) => { sources[missing[at]] = src; board.picture(missing[at], src); }, alive, { call: server.thumbs });
    };
    const complete = wanted.by === 'look' ? await draw() : true; // by look every picture is needed first
    const answer = complete && await arranged(wanted, alive);
    if (answer) { placed = answer; settle(); if (wanted.by === 'w') await draw(); }
    if (!alive()) return;
    if (answer) say(T('v_arranged', { total: recipes.length })); else done = '';
    run.end(alive);
  };
  const leave = () => { if (!run.cancel.hidden) { run.stop(); done = ''; } };

  const between = button('discover-map-blend', T('v_between'), 'mix', () => board.middle());
  between.title = T('v_between_help');
  const bar = h('div', { class: 'im-bar' },
    button('discover-map-out', T('v_zoom_out'), 'minus', () => board.zoomAt(1 / 1.5), { bare: true }),
    button('discover-map-in', T('v_zoom_in'), 'add', () => board.zoomAt(1.5), { bare: true }),
    button('discover-map-all', T('v_zoom_all'), 'all', () => board.fit(), { bare: true }), other, between, run.cancel);
  const stage = h('div', { class: 'im-stack' }, board.node, bar, h('p', { class: 'im-help', id: 'discover-map-help' }, `${T('v_map_help')} ${T('v_between_help')}`));
  const panel = h('section', { class: 'im-panel' },
    h('div', { class: 'im-pair' }, D.field(T('v_count'), countBox), D.field(T('v_first'), firstBox)),
    D.field(T('v_by'), byBox), h('label', { class: 'im-check' }, tidy, h('span', {}, T('v_tidy'))));
  return { id: 'map', title: T('v_map'), stage, panel, open, leave, all: true, take: (recipe) => { firstBox.value = String(Math.min(MOST_SEED - 1024, recipe.seeds[0][0])); open(); }, board };
})();
