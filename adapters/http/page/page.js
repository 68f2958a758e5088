'use strict';
const byId = id => document.getElementById(id);
const models = new Map();  // name -> {task, config}
let photo = null;          // the chosen photo as a data address

const headers = () => byId('key').value ? {Authorization: 'Bearer ' + byId('key').value} : {};
const ms = value => value === null ? '–' : Number(value).toFixed(Number(value) < 10 ? 2 : 0) + ' ms';

async function get(path) {
  const response = await fetch(path, {headers: headers()});
  if (response.status === 401) byId('key-form').hidden = false;
  if (!response.ok) throw new Error(path + ': ' + response.status);
  return response.json();
}

function cell(row, text, number) {
  const td = row.insertCell();
  td.textContent = text;
  if (number) td.className = 'number';
  return td;
}

function mean(sum) { return sum.count ? ms(sum.ns / sum.count / 1e6) : '–'; }

async function showModels() {
  const names = (await get('v2/models')).models;
  const rows = [];
  for (const name of names) {
    const path = 'v2/models/' + encodeURIComponent(name);
    const [config, stats] = await Promise.all([get(path + '/config'), get(path + '/stats')]);
    const ready = await fetch(path + '/ready').then(response => response.ok);
    rows.push({name, config, ready, stats: stats.model_stats[0], task: config.parameters.task.string_value});
  }
  const body = byId('models');
  body.replaceChildren();
  for (const {name, config, ready, stats, task} of rows) {
    const row = body.insertRow();
    cell(row, name);
    cell(row, stats.version);
    cell(row, task);
    cell(row, ready ? 'ready' : 'not ready').className = ready ? 'state' : 'state bad';
    cell(row, stats.inference_stats.success.count, true);
    cell(row, stats.inference_stats.fail.count, true);
    cell(row, mean(stats.inference_stats.queue), true);
    cell(row, mean(stats.inference_stats.compute_infer), true);
    if (!models.has(name)) {
      models.set(name, {task, config});
      byId('model').add(new Option(name, name));
      if (models.size === 1) showInput();
    }
  }
}

async function showState() {
  const state = byId('state');
  try {
    const ready = await fetch('v2/health/ready');
    state.textContent = ready.ok ? 'ready' : 'not ready';
    state.className = ready.ok ? 'state' : 'state bad';
    byId('version').textContent = (await get('v2')).version;
    await showModels();
  } catch (error) {
    if (error instanceof TypeError) {  // no answer
      state.textContent = 'not reachable';
      state.className = 'state bad';
    }
  }
}

const INPUTS = {'image-embedding': 'photo', 'text-embedding': 'text-label', 'text-classification': 'text-label',
                'forecast': 'length-label', 'simulate': 'work-label'};

function showInput() {
  const {task, config} = models.get(byId('model').value);
  for (const input of document.querySelectorAll('.input')) input.hidden = input.id !== (INPUTS[task] || 'body-label');
  const inputs = config.input.map(({name, data_type, dims}) => {
    const shape = [1, ...dims.map(dim => dim < 0 ? 1 : dim)];
    const count = shape.reduce((a, b) => a * b, 1);
    return {name, shape, datatype: data_type.replace('TYPE_', ''), data: Array(Math.min(count, 4096)).fill(0)};
  });
  byId('body').value = JSON.stringify({inputs});
}

function request() {
  const model = byId('model').value;
  switch (models.get(model).task) {
    case 'image-embedding':
      if (!photo) throw new Error('Choose a photo first.');
      return ['v1/embeddings', {model, input: photo}];
    case 'text-embedding': return ['v1/embeddings', {model, input: byId('text').value}];
    case 'text-classification': return ['predict', {model, text: byId('text').value}];
    case 'forecast': return ['predict', {model, inference_length: Number(byId('length').value)}];
    case 'simulate': return ['infer', {work_ms: Number(byId('work').value)}];
    default: return ['v2/models/' + encodeURIComponent(model) + '/infer', JSON.parse(byId('body').value)];
  }
}

function bars(values) {
  const largest = Math.max(...values.map(Math.abs), 1e-9);
  byId('bars').className = '';
  byId('bars').replaceChildren(...values.slice(0, 128).map(value => {
    const bar = document.createElement('i');
    bar.style.height = Math.max(2, 100 * Math.abs(value) / largest) + '%';
    if (value < 0) bar.className = 'minus';
    return bar;
  }));
}

function scores(all) {
  byId('bars').className = 'scores';
  byId('bars').replaceChildren(...Object.entries(all).sort((a, b) => b[1] - a[1]).map(([label, score]) => {
    const row = document.createElement('div');
    row.className = 'score';
    const bar = document.createElement('progress');
    bar.value = score;
    const [name, number] = [document.createElement('span'), document.createElement('span')];
    name.textContent = label;
    number.textContent = (100 * score).toFixed(1) + ' %';
    row.append(name, bar, number);
    return row;
  }));
}

function show(answer) {
  if (answer.data) {
    const vector = answer.data[0].embedding;
    byId('summary').textContent = vector.length + ' numbers: ' + vector.slice(0, 6).map(v => v.toFixed(4)).join(', ') + ' …';
    bars(vector);
  } else if (answer.label !== undefined) {
    byId('summary').textContent = answer.label;
    scores(answer.scores);
  } else if (answer.predictions) {
    byId('summary').textContent = answer.columns.join(', ') + ': ' +
        answer.predictions.map(row => row.map(v => v.toPrecision(5)).join(' ')).join(', ');
    bars(answer.predictions.map(row => row[0]));
  } else if (answer.outputs) {
    byId('summary').textContent = answer.outputs.map(o => o.name + ' ' + o.datatype + ' [' + o.shape + ']').join(', ');
    bars(answer.outputs[0].data.flat(Infinity).map(Number));
  } else {
    byId('summary').textContent = JSON.stringify(answer);
    byId('bars').replaceChildren();
  }
}

async function send(event) {
  event.preventDefault();
  const [summary, timings] = [byId('summary'), byId('timings')];
  byId('send').disabled = true;
  byId('answer').hidden = false;
  summary.className = '';
  timings.replaceChildren();
  try {
    const [path, body] = request();
    const start = performance.now();
    const response = await fetch(path, {method: 'POST', body: JSON.stringify(body),
                                        headers: {'Content-Type': 'application/json', ...headers()}});
    const text = await response.text();
    const took = performance.now() - start;
    byId('raw').textContent = text;
    const answer = JSON.parse(text);
    if (!response.ok) throw new Error(answer.error.message || answer.error);
    show(answer);
    for (const [name, value] of [['queue', response.headers.get('x-queue-time')], ['model', response.headers.get('x-inference-time')],
                                 ['server', response.headers.get('x-total-time')], ['browser', took]]) {
      const entry = document.createElement('div');
      const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
      dt.textContent = name;
      dd.textContent = ms(value);
      entry.append(dt, dd);
      timings.append(entry);
    }
  } catch (error) {
    summary.textContent = error.message;
    summary.className = 'failed';
    byId('bars').replaceChildren();
  }
  byId('send').disabled = false;
  showModels().catch(() => {});
}

function choose(file) {
  const reader = new FileReader();
  reader.onload = () => {
    photo = reader.result;
    byId('preview').src = photo;
    byId('preview').hidden = false;
    byId('form').requestSubmit();
  };
  reader.readAsDataURL(file);
}

byId('form').addEventListener('submit', send);
byId('model').addEventListener('change', showInput);
byId('key').addEventListener('change', showState);
byId('key-form').addEventListener('submit', event => event.preventDefault());
byId('file').addEventListener('change', event => { if (event.target.files[0]) choose(event.target.files[0]); });
const area = byId('photo');
area.addEventListener('dragover', event => { event.preventDefault(); area.classList.add('over'); });
area.addEventListener('dragleave', () => area.classList.remove('over'));
area.addEventListener('drop', event => {
  event.preventDefault();
  area.classList.remove('over');
  if (event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
});
showState();
setInterval(showState, 5000);
