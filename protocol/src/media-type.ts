/** Decides whether a Content-Type names a form in UTF-8. Nothing is ever transcoded: another charset is refused. */

import { type Refusal, refuse } from './refusal.ts';

const FORM = 'application/x-www-form-urlencoded';
const CONTENT_TYPE_LENGTH_MAX = 256;

/** Says that the body is a form, or refuses its media type or charset (RFC 6749 appendix B). */
export function formMediaType(contentType: string | undefined): 'form' | Refusal {
  if (contentType === FORM) return 'form';
  if (contentType === undefined || contentType.length > CONTENT_TYPE_LENGTH_MAX) {
    return refuse('unsupported-media-type');
  }
  const [type, ...parameters] = contentType.toLowerCase().split(';').map(trimmed);
  if (type !== FORM) return refuse('unsupported-media-type');
  let charsets = 0;
  for (const parameter of parameters) {
    if (parameter === '') continue;
    const equals = parameter.indexOf('=');
    if (equals < 1) return refuse('unsupported-media-type');
    if (trimmed(parameter.slice(0, equals)) !== 'charset') continue;
    const charset = trimmed(parameter.slice(equals + 1));
    if (++charsets > 1 || (charset !== 'utf-8' && charset !== '"utf-8"')) {
      return refuse('unsupported-charset');
    }
  }
  return 'form';
}

/** Optional white space of HTTP is space and tab (RFC 9110 §5.6.3); `trim` would take more. */
function trimmed(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
