/** Printing of what was measured, one line a figure. */
import { readFileSync } from 'node:fs';

export function tell(what: string, figure: string): void {
  console.log(`${what}: ${figure}`);
}

export function spread(milliseconds: number[]): string {
  const sorted = [...milliseconds].sort((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const slowest = sorted.at(-1) ?? Number.NaN;
  return `median ${middle.toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms of ${sorted.length}`;
}

/** Resident memory of a process, and the part that it shares with no other, in megabytes. */
export function memory(pid: number): string {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]) / 1024;
  const own = field('Private_Clean') + field('Private_Dirty');
  return `${field('Rss').toFixed(0)} MB resident, ${own.toFixed(0)} MB of it its own`;
}

/** Processor time that a process used in the next seconds, in cores. */
export async function cores(pid: number, seconds: number): Promise<string> {
  const before = ticks(pid);
  await pause(seconds);
  // The kernel counts in hundredths of a second.
  return `${((ticks(pid) - before) / 100 / seconds).toFixed(3)} cores`;
}

export async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function ticks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in brackets, may hold blanks.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
