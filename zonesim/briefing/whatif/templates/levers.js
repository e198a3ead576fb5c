// Levers, the command and the link.

const leverName = (key) => {
  const lever = about.levers.find((each) => each.key === key), { word, ...own } = lever.label;
  return word ? say(word, { what: own[language] || "", measure: own.measure || "" }) : own[language];
};
const levelText = (lever, level) => {
  const text = lever.texts[level];
  return text.word ? say(text.word) : text[language];
};

// The form of the levers. It is made anew with the language alone: what is made anew cannot be dragged.
function levers() {
  const measures = node("fieldset", {}, node("legend", { text: say("measures") }));
  for (const each of about.measures) {
    const box = node("input", { type: "checkbox", id: `measure-${each.name}` });
    box.onchange = () => {
      state.measures = about.measures.map((own) => own.name).filter((name) => (name === each.name ? box.checked : state.measures.includes(name)));
      moved();
    };
    measures.append(node("label", { class: "lever" }, box, ` ${each.number} ${each[language]}`));
  }
  const slider = (lever) => {
    const id = `lever-${lever.key}`, input = node("input", { type: "range", id, min: 0, max: lever.settings.length - 1, step: 1 });
    input.oninput = () => { state.levels[lever.key] = Number(input.value); moved(); };
    const found = node("label", { class: "lever", for: id }, `${leverName(lever.key)}: `, node("output", { for: id, id: `told-${lever.key}` }));
    if (lever.assumed) found.append(" ", node("span", { class: "tag", text: say("assumed") }));
    found.append(input);
    return found;
  };
  const group = (word, own) => (own.length ? [node("fieldset", {}, node("legend", { text: say(word) }), ...own.map(slider))] : []);
  const effort = node("select", { id: "effort" }, ...STARTS.map((n) => node("option", { value: n, text: String(n) })));
  effort.onchange = () => { state.n = Number(effort.value); moved(); };
  $("levers").replaceChildren(
    ...(about.measures.length ? [measures] : []),
    ...group("own", about.levers.filter((lever) => !lever.everywhere)),
    ...group("world", about.levers.filter((lever) => lever.everywhere)),
    node("label", { class: "lever" }, `${say("effort")}: `, effort),
  );
  setLevers();
}

// Set the levers as the state has them.
function setLevers() {
  for (const each of about.measures) $(`measure-${each.name}`).checked = state.measures.includes(each.name);
  for (const lever of about.levers) {
    const input = $(`lever-${lever.key}`), level = state.levels[lever.key], text = levelText(lever, level);
    input.value = level;
    input.setAttribute("aria-valuetext", text);
    input.disabled = Boolean(lever.needs && !state.measures.includes(lever.needs));
    $(`told-${lever.key}`).textContent = text;
  }
  $("effort").value = String(state.n);
}

// --- the command and the link

const quoted = (text) => (/^[\w@%+=:,.\/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function command(done) {
  const [base, other] = arms(), parts = ["zonesim", "compare", quoted(about.file)];
  const numbersOf = other.plan.measures.map((name) => about.measures.find((each) => each.name === name).number);
  parts.push("--measures", numbersOf.length ? numbersOf.join(",") : "none");
  const settings = (lever, level) => lever.settings[level].map(quoted);
  for (const text of about.given) parts.push("--set", quoted(text));
  for (const lever of about.levers) {
    const word = lever.everywhere ? "--set" : "--change";
    if (lever.key in other.levels) for (const text of settings(lever, other.levels[lever.key])) parts.push(word, text);
  }
  parts.push("--replications", String(Math.max(done, 1)), "--seed", String(about.seed));
  return parts.join(" ");
}

function link() {
  const found = new URLSearchParams({ v: about.version, m: state.measures.join("+"), n: state.n, lang: language });
  for (const lever of about.levers) if (state.levels[lever.key] !== lever.usual) found.set(lever.key, state.levels[lever.key]);
  history.replaceState(null, "", "#" + found.toString());
}

function fromLink() {
  const given = new URLSearchParams(location.hash.slice(1)), names = about.measures.map((each) => each.name);
  const wanted = given.has("m") ? given.get("m").split(/[+ ]/) : names;
  language = ["en", "zh"].includes(given.get("lang")) ? given.get("lang") : about.language;
  state = { measures: names.filter((name) => wanted.includes(name)), levels: {}, n: STARTS.includes(Number(given.get("n"))) ? Number(given.get("n")) : 8 };
  for (const lever of about.levers) {
    const level = given.has(lever.key) ? Number(given.get(lever.key)) : NaN;
    state.levels[lever.key] = Number.isInteger(level) && level >= 0 && level < lever.settings.length ? level : lever.usual;
  }
  return given.get("v") && given.get("v") !== about.version ? given.get("v") : "";
}

async function copy(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    $("copied").textContent = say("copied");
  } catch {
    getSelection().selectAllChildren(shown);
    $("copied").textContent = say("not_copied");
  }
}
