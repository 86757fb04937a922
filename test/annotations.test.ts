/** Boxes in the formats that people have: the project's own, COCO's and Pascal VOC's. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { matched } from '../cli/annotations/match';
import { readAnnotations } from '../cli/annotations/read';
import type { Annotations } from '../cli/annotations/types';

const folder = mkdtempSync(join(tmpdir(), 'score-cam-annotations-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = (name: string, content: string | object): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const read = (name: string, content: string | object): Annotations =>
  readAnnotations(written(name, content));

/** An instances file as COCO's are, with some of what is of no use here. */
const coco = (changes: object = {}): object => ({
  info: { year: 2017 },
  licenses: [],
  images: [
    { id: 397133, file_name: '000000397133.jpg', width: 640, height: 427 },
    { id: 37777, file_name: '000000037777.jpg', width: 352, height: 230 },
  ],
  annotations: [
    {
      id: 1,
      image_id: 397133,
      category_id: 44,
      bbox: [217.62, 240.54, 38.99, 57.75],
      iscrowd: 0,
      area: 1481.4,
      segmentation: [[224.24, 297.18]],
    },
    { id: 2, image_id: 397133, category_id: 1, bbox: [1, 240.24, 346.63, 186.76], iscrowd: 0 },
    { id: 3, image_id: 37777, category_id: 1, bbox: [0, 0, 100, 100], iscrowd: 1 },
    { id: 4, image_id: 37777, category_id: 44, bbox: [5, 5, 0, 10], iscrowd: 0 },
  ],
  categories: [
    { supercategory: 'person', id: 1, name: 'person' },
    { supercategory: 'kitchen', id: 44, name: 'bottle' },
  ],
  ...changes,
});

/** As VOC2007 writes them. */
const voc = (objects: string, filename = '<filename>000005.jpg</filename>'): string =>
  `<annotation>
	<folder>VOC2007</folder>
	${filename}
	<source><database>The VOC2007 Database</database></source>
	<size><width>500</width><height>375</height><depth>3</depth></size>
	<segmented>0</segmented>
	${objects}
</annotation>
`;

const object = (name: string, [xmin, ymin, xmax, ymax]: unknown[], more = ''): string =>
  `<object><name>${name}</name><pose>Rear</pose><truncated>0</truncated>${more}
	<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object>`;

describe('annotations', () => {
  it('of the project are lists by image', () => {
    const { objects } = read('own.json', { 'a.png': [{ label: 'cat', box: [1, 2, 3.5, 4] }] });
    expect([...objects]).toEqual([
      ['a.png', [{ label: 'cat', box: { x: 1, y: 2, width: 3.5, height: 4 } }]],
    ]);
    expect([...read('empty.json', {}).objects]).toEqual([]);
    expect([...read('odd.json', { images: [], 'images.png': [] }).objects.keys()]).toHaveLength(2);
  });

  it('of COCO are put together by their ids, without crowds and boxes of no size', () => {
    const { objects, notes } = read('instances_val2017.json', coco());
    expect(Object.fromEntries(objects)).toEqual({
      '000000397133.jpg': [
        { label: 'bottle', box: { x: 217.62, y: 240.54, width: 38.99, height: 57.75 } },
        { label: 'person', box: { x: 1, y: 240.24, width: 346.63, height: 186.76 } },
      ],
      '000000037777.jpg': [],
    });
    expect(notes).toEqual(['1 crowd left out', '1 box without a size left out']);
  });

  it('of Pascal VOC count pixels from 1, both ends included, in a file or a folder of them', () => {
    const chair = object('chair', [263, 211, 324, 339], '<difficult>0</difficult>');
    const hard = object('chair', [5, 244, 67, 374], '<difficult>1</difficult>');
    // A part is none of the image's objects. Files of other programs count from 0.
    const part = '<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>';
    const man = object('a &amp; b', ['0', '1.5', 10, '10.5'], part);
    const { objects, notes } = read(
      '000005.xml',
      `\ufeff<?xml version="1.0"?>${voc(chair + hard + man)}`,
    );
    expect(Object.fromEntries(objects)).toEqual({
      '000005.jpg': [
        { label: 'chair', box: { x: 262, y: 210, width: 62, height: 129 } },
        { label: 'a & b', box: { x: 0, y: 0.5, width: 10, height: 10 } },
      ],
    });
    expect(notes).toEqual(['1 object marked as difficult left out']);

    written('Annotations/b.xml', voc(chair, '<filename>b.jpg</filename>'));
    written('Annotations/a.xml', voc('', '<filename>a.jpg</filename>'));
    written('Annotations/notes.txt', 'none');
    const { objects: all } = readAnnotations(join(folder, 'Annotations'));
    expect([...all].map(([name, own]) => [name, own.length])).toEqual([
      ['a.jpg', 0],
      ['b.jpg', 1],
    ]);
  });

  const annotation = (changes: object): object => {
    const one = { id: 1, image_id: 37777, category_id: 1, bbox: [0, 0, 5, 5] };
    return coco({ annotations: [{ ...one, ...changes }] });
  };

  it.each([
    ['none.json', undefined, /none\.json: there is no such file or folder/],
    ['a.json', '{"a', /a\.json cannot be read as JSON/],
    ['b.json', '[1]', /b\.json: it must be an object of lists by file name, COCO's/],
    [
      'c.json',
      { 'x.png': [{ label: 'a', box: [0, 0, 1, 0] }] },
      /c\.json: "x\.png" must be a list/,
    ],
    ['d.json', coco({ categories: undefined }), /"categories" is missing: give a list/],
    ['e.json', coco({ images: [7] }), /"images" is \[7\]: give a list of objects/],
    ['f.json', coco({ images: [{ id: 1 }] }), /images\[0\]: "file_name" is missing: give a name/],
    [
      'g.json',
      coco({ categories: [{ name: 'a' }] }),
      /categories\[0\]: "id" is missing: give each/,
    ],
    [
      'h.json',
      coco({
        categories: [
          { id: 1, name: 'a' },
          { id: 1, name: 'b' },
        ],
      }),
      /categories\[1\]: "id" is 1: give each its own/,
    ],
    [
      'i.json',
      annotation({ image_id: 7 }),
      /annotations\[0\]: "image_id" is 7: give the "id" of one/,
    ],
    ['j.json', annotation({ category_id: '1' }), /annotations\[0\]: "category_id" is "1": give/],
    [
      'k.json',
      annotation({ bbox: [0, 0, -1, 5] }),
      /annotations\[0\]: "bbox" is \[0,0,-1,5\]: give/,
    ],
    ['l.json', annotation({ bbox: undefined }), /annotations\[0\]: "bbox" is missing: give/],
    ['m.xml', '<annotation><object></annotation>', /m\.xml cannot be read as XML: .*line 1/s],
    ['n.xml', '<html></html>', /n\.xml: its element is <html>: give Pascal VOC's, <annotation>/],
    ['o.xml', voc('', ''), /o\.xml has no <filename>: give Pascal VOC's/],
    ['p.xml', voc('<object/>'), /p\.xml: object 1 has no <name>/],
    ['q.xml', voc('<object><name>dog</name></object>'), /q\.xml: object 1 \(dog\) has no <bndbox>/],
    [
      'r.xml',
      voc(object('dog', [1, 'two', 3, 4])),
      /object 1 \(dog\): <ymin> is "two": give a number/,
    ],
    ['s.xml', voc(object('dog', [1, '', 3, 4])), /object 1 \(dog\) has no <ymin> but an empty one/],
    [
      't.xml',
      voc(object('dog', [9, 1, 3, 4])),
      /runs from 9, 1 to 3, 4: <xmax> and <ymax> must not/,
    ],
    // Nothing outside of the file is ever read.
    [
      'u.xml',
      '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>',
      /u\.xml cannot be read as XML/,
    ],
  ])('%s is refused with its place and a remedy', (name, content, message) => {
    const path = content === undefined ? join(folder, name) : written(name, content);
    expect(() => readAnnotations(path)).toThrow(message);
  });

  it('are refused where a folder has none', () => {
    mkdirSync(join(folder, 'bare'));
    expect(() => readAnnotations(join(folder, 'bare'))).toThrow(/no XML file in this folder/);
  });
});

describe('of what annotations say, an evaluation takes', () => {
  const of = (objects: Record<string, readonly string[]>, ofWholeSet = true): Annotations => ({
    objects: new Map(
      Object.entries(objects).map(([name, labels]) => [
        name,
        labels.map((label, i) => ({ label, box: { x: i, y: 0, width: 1, height: 1 } })),
      ]),
    ),
    ofWholeSet,
    notes: ['a note'],
  });
  const images = ['a.png', 'b/c.png', 'b/d.png', 'd.png'];
  const labels = ['cat', 'dog'];
  const match = (annotations: Annotations) =>
    matched('boxes', annotations, 'photos', images, labels);

  it('images that are there, by path or name, and classes that the model knows; the others are told once', () => {
    const { objects, notes } = match(
      of({
        'a.png': ['cat', 'person', 'dog', 'person'],
        'c.png': ['person'],
        'd.png': ['dog'],
        'val/a.png': ['bird'],
        'z.png': ['cat'],
      }),
    );
    const found = [...objects].map(([name, own]) => [name, own.map(({ label }) => label)]);
    expect(found).toEqual([
      ['a.png', ['cat', 'dog']],
      ['b/c.png', []],
      ['d.png', ['dog']],
    ]);
    expect(notes).toEqual([
      'a note',
      '1 of its 5 images are not in photos',
      'the model has no class "person" (3 boxes), "bird" (1 box); left out',
    ]);
  });

  it('nothing where nothing fits, and says so', () => {
    expect(() => match(of({ 'x.png': ['cat'], 'y.png': [] }))).toThrow(
      /none of its 2 images, such as "x\.png", is in photos/,
    );
    expect(() => match(of({ 'a.png': ['tree', 'tree'] }))).toThrow(
      /the model has no class "tree" \(2 boxes\): give boxes with labels such as cat, dog\./,
    );
    expect(() => match(of({ 'a.png': ['cat'], 'x.png': [] }, false))).toThrow(
      /no image "x\.png" in photos/,
    );
    const many = Array.from({ length: 13 }, (_, i) => `kind ${i}`);
    expect(() => match(of({ 'a.png': many }))).toThrow(/"kind 9" \(1 box\) and 3 more \(3 boxes\)/);
    expect(match(of({})).objects.size).toBe(0);
  });
});
