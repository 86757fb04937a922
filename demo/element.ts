/** An element of the page by its id, which the HTML is known to have. */
export function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
