/** Who and where: the agent's badge and `project / branch`, the same in every list. */

import { agent, describe } from "../core/describe.js";
import { attribute, text } from "../core/dom.js";
import { oneLine } from "../core/format.js";
import { latestPrompt } from "../data/sessions.js";

const NAME_LENGTH = 80;

export function showAgent(node, agentType) {
  const { family, name } = agent(agentType);
  attribute(node, "data-family", family);
  attribute(node, "title", agentType);
  text(node, name);
}

export function showPlace(refs, { project, branch }) {
  text(refs.project, project ? oneLine(project, NAME_LENGTH) : "");
  text(refs.branch, branch ? oneLine(branch, NAME_LENGTH) : "");
}

/** What a session is called: its title, or else what was asked last, or else where it runs, or else its id. */
export function titleOf(session) {
  const prompt = latestPrompt(session.id);
  return oneLine(session.title || (prompt && describe(prompt).detail) || session.cwd || session.id, 240);
}
