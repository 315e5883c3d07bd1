// Shared by the picture tabs: a message bus between tabs, and a few DOM helpers.
// Loaded once in <head>; everything lives under window.imagenDemo.
window.imagenDemo = (() => {
  const handlers = {}, waiting = {};

  // Tabs that do not fit lie in a menu without ids; the hidden measuring row has all of them in order.
  const ORDER = ['explore', 'discover', 'interpolate', 'generate', 'train', 'models'];
  const showTab = (tab) => {
    const shown = document.getElementById(`tab-${tab}-button`);
    if (shown) { shown.click(); return; }
    const name = document.querySelector('#tabs .visually-hidden')?.children[ORDER.indexOf(tab)]?.textContent;
    [...document.querySelectorAll('#tabs .overflow-dropdown button')].find((b) => b.textContent === name)?.click();
  };

  // Send `message` to a tab and show it. A tab not built yet gets the message when it is.
  const open = (tab, message) => {
    if (handlers[tab]) handlers[tab](message); else waiting[tab] = message;
    showTab(tab);
    window.scrollTo({ top: 0, behavior: 'smooth' });
  };
  // A picture tab begins: `start(message)` puts `page` in its place where there are models, `receive(message)` is for
  // what comes afterwards; one after the other.
  const begin = (tab, page, start, receive) => {
    // The tabs that have begun look first whether their model has another name by now: the new one begins with theirs.
    let done = Promise.allSettled(Object.values(menus).map((menu) => menu.refresh())).then(() => {
      const first = waiting[tab];
      delete waiting[tab];
      return start(first);
    });
    handlers[tab] = (message) => { done = done.finally(() => (page.isConnected ? receive : start)(message)); };
  };

  const opened = location.search; // what the visitor came with

  const chinese = (navigator.language || 'en').toLowerCase().startsWith('zh');
  // For language.js and for the server, from the next request on.
  const chooseLanguage = (language) => {
    // Within a frame of another site, as on a hosting service, browsers keep only such a cookie, and some none.
    const reach = location.protocol === 'https:' ? 'SameSite=None; Secure; Partitioned' : 'SameSite=Lax';
    document.cookie = `imagen-language=${language}; path=/; max-age=31536000; ${reach}`;
    location.reload();
  };
  const texts = (both) => (key, values = {}) =>
    ((chinese ? both.zh : both.en)[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');

  // h('button', {class: 'a', onclick: f}, 'text', child): an element
  const h = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === false || value == null) continue;
      if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
      else if (name in node && typeof value !== 'string') node[name] = value;
      else node.setAttribute(name, value);
    }
    node.append(...children.flat().filter((child) => child != null));
    return node;
  };

  const PATHS = {
    undo: 'M8 4 4 8l4 4M4 8h8a5 5 0 0 1 0 10H9', redo: 'm12 4 4 4-4 4M16 8H8a5 5 0 0 0 0 10h3',
    left: 'm12 5-5 5 5 5', right: 'm8 5 5 5-5 5',
    random: 'M3 6h2.5c4 0 5 8 9 8H17m-2.500-2.500L17 14l-2.500 2.500M3 14h2.500c1.600 0 2.700-1.200 3.700-2.800M12 8.300C12.900 7 13.700 6 15 6h2m-2.500-2.500L17 6l-2.500 2.500',
    reset: 'M4 10a6 6 0 1 0 2-4.500M4 3v4h4', download: 'M10 3v10m-4-4 4 4 4-4M4 17h12',
    link: 'M8.500 11.500a3 3 0 0 0 4.300 0l2.500-2.500a3 3 0 0 0-4.300-4.300l-1 1m1.500 2.800a3 3 0 0 0-4.300 0l-2.500 2.500a3 3 0 0 0 4.300 4.300l1-1',
    remove: 'm6 6 8 8m0-8-8 8', play: 'M7 4.500v11l8.500-5.500z', pause: 'M7 5v10M13 5v10', add: 'M10 4v12M4 10h12',
    minus: 'M4 10h12', all: 'M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4', mix: 'M8 7a4.500 4.500 0 1 0 0 7M12 7a4.500 4.500 0 1 1 0 7M10 6.500v8',
    send: 'M4 10h11m-4.500-4.500L15 10l-4.500 4.500', stop: 'M6 6h8v8H6z',
    lock: 'M6 9h8v7H6zM7.500 9V6.500a2.500 2.500 0 0 1 5 0V9', unlock: 'M6 9h8v7H6zM7.500 9V6.500a2.500 2.500 0 0 1 4.900-.700',
    dots: 'M5 10h.01M10 10h.01M15 10h.01', compare: 'M10 3v14M8 5H4v10h4m4-10h4v10h-4', code: 'm7 6-4 4 4 4m6-8 4 4-4 4',
    hide: 'M3 10s2.500-4.500 7-4.500S17 10 17 10s-2.500 4.500-7 4.500S3 10 3 10zM4 16 16 4', find: 'M9 14A5 5 0 1 0 9 4a5 5 0 0 0 0 10zm3.500-1.500L17 17',
  };
  const icon = (name) => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 20 20');
    svg.setAttribute('class', 'im-icon');
    svg.setAttribute('aria-hidden', 'true');
    svg.innerHTML = `<path d="${PATHS[name]}"/>`;
    return svg;
  };
  const button = (id, label, iconName, onclick, { bare = false, kind = '' } = {}) =>
    h('button', { type: 'button', id, class: `im-button ${bare ? 'im-bare' : ''} ${kind}`, 'aria-label': label, title: label, onclick },
      iconName ? icon(iconName) : null, bare ? null : h('span', {}, label));

  const field = (label, control, extra = null) => h('label', { class: 'im-field' }, h('span', { class: 'im-label' }, label, extra), control);
  const options = (select, pairs, value) => {
    select.replaceChildren(...pairs.map(([id, text]) => h('option', { value: String(id) }, text)));
    select.value = String(value);
  };

  // A slider whose track is filled from `origin` to the thumb; double click puts it back to `initial`. Its `value` may lie
  // between the thumb's steps or beyond its end, as links and typed numbers do; the number beside it says it as it is. A
  // number typed is taken by Enter or leaving the field, from `low` to `high` (`within()`; by default the thumb's range);
  // what is no number is put back, and limited(label, low, high, whole) hears of one that had to be changed.
  const slider = ({ id, label, min, max, step, initial, origin = min, within = () => [min, max], oninput, onchange, limited }) => {
    const whole = step >= 1;
    let now = initial;
    const number = h('input', { type: 'text', class: 'im-value', id: `${id}-number`, autocomplete: 'off', inputmode: within()[0] < 0 ? null : 'decimal',
      'aria-label': `${label}${chinese ? '：数值' : ': number'}` }); // no minus among the decimal keys of some phones
    const input = h('input', { type: 'range', id, min, max, step, 'aria-label': label });
    const paint = () => {
      const [least, most] = [+input.min, +input.max], place = (v) => 100 * (Math.min(most, Math.max(least, v)) - least) / (most - least);
      const [a, b] = [place(origin), place(now)].sort((x, y) => x - y);
      input.style.setProperty('--from', `${a}%`);
      input.style.setProperty('--to', `${b}%`);
      const short = String(+now.toFixed(6));
      number.value = whole || /\.\d\d/.test(short) ? short : now.toFixed(2);
      number.style.minWidth = `${number.value.length + 2}ch`;
      input.setAttribute('aria-valuetext', number.value); // the thumb's own may be another
    };
    const set = (value) => { now = value; input.value = value; paint(); };
    const moved = () => { now = +input.value; paint(); };
    input.addEventListener('input', () => { moved(); oninput?.(now); });
    input.addEventListener('change', () => { moved(); onchange?.(now); });
    const put = (value) => { set(value); oninput?.(now); onchange?.(now); };
    input.addEventListener('dblclick', () => put(initial));
    input.addEventListener('keydown', (event) => { // with Shift ten steps at once; Delete puts it back
      const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (event.shiftKey && way) put(+Math.min(Math.max(+input.max, now), Math.max(Math.min(+input.min, now), now + 10 * way * step)).toFixed(6));
      else if (event.key === 'Delete' || event.key === 'Backspace') put(initial);
      else return;
      event.preventDefault();
    });
    const parsed = () => { // what was typed, the limits it meets and the value that it makes; null: no number
      const text = number.value.trim().replace(',', '.').replace('−', '-'), typed = +text;
      if (!text || !Number.isFinite(typed)) return null;
      const [low, high] = within(); // as they are now: taking the value may move them
      return { typed, low, high, value: Math.min(high, Math.max(low, whole ? Math.round(typed) : typed)) };
    };
    number.addEventListener('change', () => {
      const read = parsed();
      if (!read) { paint(); return; }
      put(read.value);
      if (read.value !== read.typed) limited?.(label, read.low, read.high, whole);
    });
    number.addEventListener('focus', () => number.select());
    number.addEventListener('keydown', (event) => { if (event.key === 'Escape') { paint(); number.select(); } });
    set(initial);
    number.paint = () => set(parsed()?.value ?? now); // takes what stands there and tells nobody: for pages that keep it
    return { node: h('div', { class: 'im-slider' }, h('span', { class: 'im-label' }, label), number, input), input, number, set, get value() { return now; } };
  };
  // A slider's `within`, for what may be negative.
  const upTo = (most) => () => [-most, most];
  // What a slider's `limited` says, with the texts and the line of a tab.
  const limits = (T, warn) => (name, low, high, whole) => warn(T(whole ? 'c_limits_whole' : 'c_limits', { name, low, high }));

  // Brings what has opened into sight, at once for who wants no motion.
  const reveal = (node) => node.scrollIntoView({ block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });

  // Calls `work` with the newest argument only: one call under way, at most one waiting.
  const newest = (work) => {
    let busy = false, next = null;
    return async function run(argument) {
      if (busy) { next = [argument]; return; }
      busy = true;
      try { await work(argument, () => next === null); } finally { busy = false; }
      if (next) { const [later] = next; next = null; await run(later); }
    };
  };

  const MOST_SEED = 4294967295;
  const save = (href, name) => { const a = h('a', { href, download: name }); document.body.append(a); a.click(); a.remove(); };
  const randomSeed = () => Math.floor(Math.random() * 100000);
  const clone = (value) => JSON.parse(JSON.stringify(value));
  const lost = chinese ? '与服务器的连接已断开，请稍后重试。' : 'The server does not answer; try again in a moment.';
  const gone = { error: lost, lost: true }; // Gradio answers a call that did not arrive with nothing, or throws
  // Every server function answers with an object; {error} is a sentence for the visitor.
  const ask = async (call, payload) => { try { return (await call(payload)) ?? gone; } catch { return gone; } };

  // A tab's line of words: say(text, bad); said() is that text; warn(text) stays before it, until the visitor's next move;
  // told(answer): its error, if any, is said, and it is false; clip(text, done): into the clipboard, or where the browser
  // forbids that `instead` is said, to be copied by hand.
  const noteLine = (id) => {
    const note = h('p', { class: 'im-note', id, role: 'status' });
    let warning = '', last = '';
    const say = (text, bad = false) => { last = text || ''; note.textContent = `${warning} ${last}`.trim(); note.classList.toggle('im-bad', bad || !!warning); };
    const said = () => last;
    const MOVES = ['input', 'keydown', 'pointerdown'];
    const over = () => {
      warning = '';
      note.classList.remove('im-warned');
      MOVES.forEach((move) => window.removeEventListener(move, over, true));
    };
    const warn = (text) => {
      warning = text;
      say('');
      note.classList.add('im-warned'); // on a phone, in sight wherever the page is scrolled to
      MOVES.forEach((move) => window.addEventListener(move, over, true)); // once, however often there is a warning
    };
    const told = (answer) => { if (answer.error) say(answer.error, true); return !answer.error; };
    const clip = async (text, done, instead = text) => { try { await navigator.clipboard.writeText(text); say(done); } catch { say(instead); } };
    return { note, say, said, warn, told, clip };
  };
  const linkTo = (query) => `${location.origin}${location.pathname}?${query}`;

  // Work that a newer wish, or its Cancel button, replaces: start() gives alive(), which tells whether it is still wanted.
  const runs = (id, T, say, stopped = () => {}) => {
    let number = 0;
    const stop = () => { number += 1; cancel.hidden = true; };
    const cancel = button(id, T('c_cancel'), 'stop', () => { stop(); stopped(); say(T('c_cancelled')); });
    cancel.hidden = true;
    return {
      cancel, stop,
      start: () => { const mine = ++number; cancel.hidden = false; return () => mine === number; },
      end: (alive) => { if (alive()) cancel.hidden = true; },
    };
  };
  // Pictures of `recipes`, twelve in a question: the first are there at once, and others get a turn in between. put(index,
  // src) for each, progress(done) after some; false where `alive()` said no or something failed, which is told.
  const drawAll = async (call, recipes, side, { put, alive, told, progress = () => {} }) => {
    for (let at = 0; at < recipes.length; at += 12) {
      if (!alive()) return false;
      const answer = await ask(call, { recipes: recipes.slice(at, at + 12), side });
      if (!alive() || !told(answer)) return false;
      answer.images.forEach((src, index) => put(at + index, src, answer.versions?.[index]));
      progress(at + answer.images.length);
    }
    return alive();
  };

  // A value, or a text of JSON, with another name for a model in all its recipes.
  const renamed = (value, from, to) => {
    if (typeof value !== 'string') return JSON.parse(renamed(JSON.stringify(value), from, to));
    return value.replaceAll(`"model":${JSON.stringify(from)}`, () => `"model":${JSON.stringify(to)}`);
  };
  // A menu of models that is brought up to date when its tab is opened and the visitor reaches for it: trainings come and
  // go. `current()`: the facts of the model in use; where that was renamed they get its new name, and `follow(from, to)` is
  // for what else of the tab has the old one.
  const menus = {}; // tab -> its menu's refresh and follow
  const arrived = (tab) => menus[tab]?.refresh();
  const modelMenu = (id, label, server, told, current, follow) => {
    const box = h('select', { id, 'aria-label': label });
    let shown = [];
    box.fill = (models, name) => {
      shown = models.some((m) => m.name === name) ? models : [...models, { name, title: name }];
      options(box, shown.map((m) => [m.name, m.title]), name);
    };
    box.choose = (name) => {
      if (!shown.some((m) => m.name === name)) { box.fill(shown, name); refresh(); } // by its name until its title is here
      box.value = name;
    };
    let asked = 0;
    box.describe = async (name) => { // null: not to be had, which is told, or another one is asked for by now
      const mine = ++asked, answer = await ask(server.describe, { model: name });
      if (mine !== asked) return null;
      if (told(answer)) { box.choose(name); return answer; }
      if (current()) box.value = current().name;
      refresh(); // it may be gone
      return null;
    };
    const refresh = async () => {
      const of = current(), { name, hash } = of ?? {}, answer = of ? await ask(server.models, { model: name, hash }) : {};
      if (!answer.models || of !== current()) return;
      if (JSON.stringify(answer.models) !== JSON.stringify(shown)) box.fill(answer.models, answer.name);
      if (answer.name === name) return;
      Object.values(menus).forEach((menu) => menu.follow(name, answer.name)); // other tabs have it, too,
      for (const tab of Object.keys(waiting)) waiting[tab] = renamed(waiting[tab], name, answer.name); // and messages on their way
    };
    menus[id.split('-')[0]] = { refresh, follow: (from, to) => {
      if (current()?.name !== from) return;
      current().name = to;
      follow(from, to);
      box.choose(to);
    } };
    box.addEventListener('pointerenter', refresh);
    box.addEventListener('focus', refresh);
    box.refresh = refresh;
    return box;
  };
  // A tab without a model says so, or `said`, and looks for one now and then, to begin again.
  const noModel = (tab, T, said, server, root) => {
    root.replaceChildren(h('div', { class: 'im-empty', id: `${tab}-empty` },
      h('h2', {}, said || T('c_no_model')), h('p', {}, T('c_no_model_help')),
      button(`${tab}-to-train`, T('c_to_train'), 'send', () => open('train', {}), { kind: 'im-primary' })));
    clearInterval(root.looking);
    root.looking = setInterval(async () => {
      if (!root.isConnected || document.hidden) return;
      const answer = await ask(server.models, {});
      if (answer.models?.length) { clearInterval(root.looking); handlers[tab]({}); }
    }, 4000);
  };

  const toggleTheme = () => {
    const dark = document.body.classList.toggle('dark');
    try { localStorage.setItem('imagen-theme', dark ? 'dark' : 'light'); } catch { /* private window */ }
  };
  // The visitor's choice of light or dark, from the first paint on; the page's own start-up may set it again.
  const rememberedTheme = () => {
    let chosen = null;
    try { chosen = localStorage.getItem('imagen-theme'); } catch { /* private window */ }
    if (chosen && document.body && !location.search.includes('__theme')) document.body.classList.toggle('dark', chosen === 'dark');
  };
  rememberedTheme();
  return { open, begin, opened, tabs: ORDER, showTab, texts, h, icon, button, field, options, slider, upTo, limits, reveal, newest, MOST_SEED, save, randomSeed, clone, ask, noteLine, linkTo, runs, drawAll, renamed, arrived, modelMenu, noModel, toggleTheme, rememberedTheme, chinese, chooseLanguage, current: null };
})();
