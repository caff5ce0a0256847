/** The certificate of a native HTTPS listener: read, checked, and read again when its files change. Knows no HTTP. */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions, Server } from 'node:tls';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { describeError } from './describe-error.ts';

export type CertificateFiles = {
  /** PEM: the certificate, then the intermediate ones. */
  readonly certificateFile: string;
  /** PEM: its private key, not encrypted. */
  readonly keyFile: string;
};

export type Certificate = {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly validFromMs: number;
  readonly validToMs: number;
};

/** Renewals come days before the old certificate ends: minutes would do, seconds please whoever watches. */
const CERTIFICATE_CHECK_MS = 5_000;

/**
 * TLS 1.3's suites, then those of 1.2 that have forward secrecy and authenticated encryption (BCP 195, RFC 9325 §4.2).
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Reads both files and checks that they belong together. The error says which file is at fault, and never shows it. */
export async function loadCertificate(files: CertificateFiles): Promise<Certificate> {
  const certificatePem = await read(files.certificateFile, 'certificate');
  const keyPem = await read(files.keyFile, 'private key');
  const certificate = parseCertificate(certificatePem, files.certificateFile);
  if (!certificate.checkPrivateKey(parseKey(keyPem, files.keyFile))) {
    throw new Error(
      `The private key in ${files.keyFile} does not belong to the certificate in ${files.certificateFile}.`,
    );
  }
  return {
    certificatePem,
    keyPem,
    validFromMs: certificate.validFromDate.getTime(),
    validToMs: certificate.validToDate.getTime(),
  };
}

async function read(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new Error(`The ${what} file ${file} cannot be read (${code}).`, { cause });
  }
}

function parseCertificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Error(`The file ${file} holds no PEM certificate.`, { cause });
  }
}

function parseKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // Without a cause: a parser's complaint may quote what it complains about.
    throw new Error(
      `The file ${file} holds no PEM private key that can be read without a passphrase.`,
    );
  }
}

/** What a server needs of a certificate. `setSecureContext` forgets what it is not told again, so all of it, each time. */
export function secureContext(certificate: Certificate): SecureContextOptions {
  return {
    cert: certificate.certificatePem,
    key: certificate.keyPem,
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
  };
}

/** Undefined, or why callers will not accept the certificate now. Not fatal: the clock may be what is wrong. */
export function validityWarning(certificate: Certificate, nowMs: number): string | undefined {
  if (nowMs > certificate.validToMs) {
    return `the certificate expired at ${new Date(certificate.validToMs).toISOString()}`;
  }
  if (nowMs < certificate.validFromMs) {
    return `the certificate is valid only from ${new Date(certificate.validFromMs).toISOString()}`;
  }
  return undefined;
}

export type Followed = {
  /** Looks at the files now. Never rejects: what is wrong goes to the log, and the certificate in use stays. */
  readonly reload: () => Promise<void>;
  readonly stop: () => void;
};

/** Gives the server each new pair of files. Open connections keep the certificate they began with. */
export function followCertificate(followed: {
  readonly server: Server;
  readonly files: CertificateFiles;
  readonly current: Certificate;
  readonly checkMs?: number;
  readonly log: Log;
  readonly clock: Clock;
}): Followed {
  const { server, files, log, clock } = followed;
  let { current } = followed;
  let complaint = '';

  const reload = async (): Promise<void> => {
    try {
      const found = await loadCertificate(files);
      complaint = '';
      if (found.certificatePem === current.certificatePem && found.keyPem === current.keyPem)
        return;
      server.setSecureContext(secureContext(found));
      current = found;
      log.info({ validTo: new Date(found.validToMs).toISOString() }, 'a new certificate is in use');
      const warning = validityWarning(found, clock.wallMs());
      if (warning !== undefined) log.warn({}, warning);
    } catch (error) {
      // Files are replaced one after the other, so a pair that does not match may be complete at the next look.
      const { message } = error as Error;
      if (message === complaint) return;
      complaint = message;
      log.error(
        { error: describeError(error) },
        'the certificate in use stays, the new one is unusable',
      );
    }
  };

  const timer = setInterval(reload, followed.checkMs ?? CERTIFICATE_CHECK_MS);
  timer.unref();
  return { reload, stop: () => clearInterval(timer) };
}
