/** What agents, states and events are called on this page. One table for each; everything else asks here. */

import { oneLine } from "./format.js";

/** Any agent, known or not: its name, and the family that gives its colour. */
export function agent(agentType) {
  const lower = (agentType ?? "").toLowerCase();
  if (lower.includes("claude")) return { family: "claude", name: "Claude" };
  if (lower.includes("codex")) return { family: "codex", name: "Codex" };
  if (lower.includes("gemini")) return { family: "gemini", name: "Gemini" };
  return { family: "other", name: oneLine(agentType ?? "unknown", 24) };
}

/** A model's name without its maker and its date, where room is short. */
export const shortModel = (model) => oneLine(model.replace(/^(anthropic\/|openai\/|google\/)?(claude-)?/, "").replace(/-20\d{6}$/, ""), 60);

/** rank: who waits stands first, then who runs. */
const STATES = {
  permission: { mark: "waiting", word: "needs permission", rank: 0, waits: true },
  question: { mark: "waiting", word: "asks a question", rank: 0, waits: true },
  turn_ended: { mark: "turn", word: "your turn", rank: 1, waits: true },
  tool: { mark: "running", word: "running", rank: 2, waits: false },
  working: { mark: "running", word: "working", rank: 2, waits: false },
};
const DIED = { mark: "error", word: "died", rank: 1, waits: true };
const ACTIVE = { mark: "running", word: "active", rank: 2, waits: false };
const IDLE = { mark: "idle", word: "idle", rank: 3, waits: false };
const ENDED = { mark: "ended", word: "ended", rank: 4, waits: false };

/** The state of a session row. An agent that went silent in mid-work is idle, whatever it did last. */
export function sessionState(session) {
  if (session.attention === "died") return DIED;
  if (session.status === "ended" || session.state === "ended") return ENDED;
  if (session.attention === "idle") return IDLE;
  const known = STATES[session.state];
  if (session.attention === "tool") return known ?? ACTIVE;
  if (session.status === "idle") return known?.waits ? known : IDLE;
  return known ?? ACTIVE;
}

const TYPES = {
  session_start: "start",
  session_end: "end",
  error: "error",
  llm_request: "request",
  llm_response: "answer",
  response: "message",
  file_change: "file",
  git_commit: "commit",
  plan_step: "plan",
  user_prompt: "prompt",
  instruction_load: "instructions",
};

const HOOKS = {
  PermissionRequest: "permission",
  PermissionDenied: "denied",
  Notification: "notice",
  SubagentStart: "sub-agent",
  SubagentStop: "sub-agent end",
  PreCompact: "compacting",
  PostCompact: "compacted",
};

export const typeName = (eventType) => (eventType === "tool_use" ? "tool" : (TYPES[eventType] ?? eventType));

const DETAILS = [
  "message", "content_preview", "command", "file_path", "pattern", "query", "url", "error", "diff_preview",
  "prompt", "description", "reason", "text",
];
const described = new WeakMap();

/** Of an event row: `what` (tool or kind), `detail` (one line), and whether it `failed`. Read once per row. */
export function describe(event) {
  let words = described.get(event);
  if (!words) described.set(event, (words = read(event)));
  return words;
}

function read(event) {
  const metadata = parse(event.metadata);
  const detail = firstText(metadata) ?? event.model ?? "";
  const asked = event.event_type === "response" && typeof metadata.tool_name === "string" ? `${metadata.tool_name} ` : "";
  return {
    what: oneLine(whatOf(event, metadata), 40),
    detail: oneLine(asked + detail),
    failed: event.status === "error" || event.status === "timeout",
    warned: metadata.security_warning === true,
  };
}

/** The tool, or else what kind of event it is; hooks name theirs more closely. */
function whatOf(event, metadata) {
  if (metadata.blocked === true) return "denied";
  if (event.tool_name) return event.tool_name;
  const hook = typeof metadata.hook_event_name === "string" ? metadata.hook_event_name : null;
  if (event.event_type === "session_end") return hook === "Stop" ? "turn end" : "end";
  if (event.event_type === "response" && hook) return HOOKS[hook] ?? hook;
  return typeName(event.event_type);
}

function parse(metadata) {
  try {
    const value = JSON.parse(metadata);
    if (typeof value === "string") return { text: value };
    return value && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

function firstText(metadata) {
  for (const name of DETAILS) {
    const value = name === "error" ? (metadata.error?.message ?? metadata.error) : metadata[name];
    if (typeof value === "string" && value.trim()) return value;
  }
  return null;
}
