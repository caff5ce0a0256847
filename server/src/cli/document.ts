/** The documents that commands print are those that every door answers. */

export { documentOf } from '../operations/document.ts';
