#!/usr/bin/env -S node --single-threaded
// One thread: with its helper threads node 20.20 often crashes after the program has ended.
// Runs a WebAssembly program by node's WASI: wasi_run.mjs PROGRAM.wasm ARGUMENT...
// It sees the current folder and below, and nothing else: no environment, no clock is needed.
import { readFile } from "node:fs/promises";
import process from "node:process";

// Node warns that WASI is experimental, on every run; hence the import only after this.
process.removeAllListeners("warning");
const { WASI } = await import("node:wasi");

const [program, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [program, ...args],
  preopens: { ".": process.cwd() },
  returnOnExit: true,
});
const { instance } = await WebAssembly.instantiate(await readFile(program), {
  wasi_snapshot_preview1: wasi.wasiImport,
});
process.exitCode = wasi.start(instance);
