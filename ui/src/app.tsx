/** The frame: who is here, the way to the pages, and the page. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { BookOpen, FolderOpen, Gauge, LayoutDashboard, ListChecks, Moon, Settings2, Sun, Terminal, Waves, Workflow } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { Login } from "./pages/login";
import { Overview } from "./pages/overview";
import { get } from "./shared/api";
import { listen } from "./shared/live";
import { onDemand } from "./shared/on-demand";
import { Link, usePath } from "./shared/router";
import { chooseTheme, useDark } from "./shared/theme";
import type { SessionInfo } from "./shared/types";
import { Empty, ErrorBox, LinkButton, Loading, Page } from "./shared/ui";

const Query = onDemand(() => import("./pages/query"), <Loading />);
const Catalog = onDemand(() => import("./pages/catalog"), <Loading />);
const Runs = onDemand(() => import("./pages/runs"), <Loading />);
const Lake = onDemand(() => import("./pages/lake"), <Loading />);
const Jobs = onDemand(() => import("./pages/jobs"), <Loading />);
const Streams = onDemand(() => import("./pages/streams"), <Loading />);
const Dashboards = onDemand(() => import("./pages/dashboards"), <Loading />);
const Settings = onDemand(() => import("./pages/settings"), <Loading />);

const PAGES: { path: string; name: string; icon: ReactNode; page: () => ReactNode; load?: () => Promise<void> }[] = [
  { path: "", name: "Overview", icon: <Gauge size={17} />, page: () => <Overview /> },
  { path: "query", name: "Query", icon: <Terminal size={17} />, page: () => <Query />, load: Query.load },
  { path: "catalog", name: "Catalog", icon: <BookOpen size={17} />, page: () => <Catalog />, load: Catalog.load },
  { path: "jobs", name: "Jobs", icon: <Workflow size={17} />, page: () => <Jobs />, load: Jobs.load },
  { path: "streams", name: "Streams", icon: <Waves size={17} />, page: () => <Streams />, load: Streams.load },
  { path: "runs", name: "Runs", icon: <ListChecks size={17} />, page: () => <Runs />, load: Runs.load },
  { path: "lake", name: "Lake", icon: <FolderOpen size={17} />, page: () => <Lake />, load: Lake.load },
  { path: "dashboards", name: "Dashboards", icon: <LayoutDashboard size={17} />, page: () => <Dashboards />, load: Dashboards.load },
  { path: "settings", name: "Settings", icon: <Settings2 size={17} />, page: () => <Settings />, load: Settings.load },
];

export function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden>
      <rect width="32" height="32" rx="8" className="logo-back" />
      <g fill="none" stroke="#fff" strokeWidth="3" strokeLinecap="round">
        <path d="M7 11c6-4 12-4 18 0" /><path d="M7 17c6-4 12-4 18 0" opacity=".8" /><path d="M7 23c6-4 12-4 18 0" opacity=".55" />
      </g>
    </svg>
  );
}

export function App() {
  const [at = ""] = usePath();
  // The page's code comes while the server says who is here; if it does not come, the page says so.
  useEffect(() => void PAGES.find((one) => one.path === at)?.load?.().catch(() => undefined), [at]);
  const session = useQuery({ queryKey: ["session"], queryFn: () => get<SessionInfo>("/session") });
  if (session.isPending) return <Loading />;
  if (session.isError) return <div className="alone"><ErrorBox error={session.error} retry={() => void session.refetch()} /></div>;
  if (session.data.needs_login && !session.data.user) return <Login />;
  return <Frame session={session.data} />;
}

function Frame({ session }: { session: SessionInfo }) {
  const client = useQueryClient();
  const [at = ""] = usePath();
  const dark = useDark();
  useEffect(() => listen(client), [client]);
  const page = PAGES.find((one) => one.path === at);
  useEffect(() => {
    document.title = page && page.path ? `${page.name} · Glulam` : "Glulam";
  }, [page]);
  return (
    <div className="frame">
      <a className="skip" href="#content">Skip to content</a>
      <nav className="side" aria-label="Pages">
        <Link href="/" className="brand"><Logo /><span>Glulam</span></Link>
        <ul>
          {PAGES.map((one) => (
            <li key={one.path}>
              <Link href={`/${one.path}`} className="side-link" aria-current={one.path === at ? "page" : undefined}>
                <span aria-hidden>{one.icon}</span><span className="side-name">{one.name}</span>
              </Link>
            </li>
          ))}
        </ul>
        <div className="side-foot">
          <button type="button" className="button button-quiet" onClick={() => chooseTheme(dark ? "light" : "dark")}
            aria-label={dark ? "Use the light theme" : "Use the dark theme"}>
            {dark ? <Sun size={16} /> : <Moon size={16} />}
          </button>
          <span className="side-version">{session.version}</span>
        </div>
      </nav>
      <main id="content" className="main" tabIndex={-1}>
        {page ? page.page() : (
          <Page title="No such page">
            <Empty title="There is nothing at this address" actions={<LinkButton href="/">To the overview</LinkButton>} />
          </Page>
        )}
      </main>
    </div>
  );
}
