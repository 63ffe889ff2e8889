import react from "@vitejs/plugin-react";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vitest/config";

const dist = join(import.meta.dirname, "dist");

/** Empties the output but for the file that keeps its folder, and compresses what was built: the binary embeds that. */
function packed(): Plugin {
  const files = (folder: string): string[] =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? files(path) : [path];
    });
  return {
    name: "packed",
    apply: "build",
    buildStart() {
      for (const name of readdirSync(dist)) {
        if (name !== ".gitignore") rmSync(join(dist, name), { recursive: true });
      }
    },
    closeBundle() {
      for (const path of files(dist)) {
        if (!path.endsWith(".gitignore") && !path.endsWith(".gz")) {
          writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
        }
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), packed()],
  build: {
    outDir: "dist",
    emptyOutDir: false,
    target: "es2022",
    sourcemap: false,
    // No inline data: the content security policy lets scripts and fonts come from files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
  },
  server: {
    // `npm run dev` beside a running `glulam up`.
    proxy: Object.fromEntries(["/api", "/metrics"].map((path) => [path, {
      target: process.env.GLULAM_CONSOLE ?? "http://127.0.0.1:4567",
      changeOrigin: true,
      // The server answers pages of its own address only.
      configure: (proxy: { on(event: "proxyReq", hear: (request: { removeHeader(name: string): void }) => void): void }) => proxy.on("proxyReq", (request) => request.removeHeader("origin")),
    }])),
  },
  // One worker for all files: starting workers takes longer than the tests.
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], pool: "threads", maxWorkers: 1, isolate: false },
});
