/**
 * Address of the embedded model's manifest: two folders up, as the package has it, beside its build as beside its sources.
 * Not as `new URL('...', import.meta.url)`: bundlers would take the manifest along, and leave its weights behind.
 */
export function embeddedModel(): string {
  return import.meta.url.replace(/[^/]*\/[^/]*$/, 'weights/scenes-vgg16/manifest.json');
}
