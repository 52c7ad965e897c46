//! Which product a client is, told from the name it gives itself.

use std::fmt;

/// The product behind `clientInfo.name` (MCP, `Implementation`). The raw name is kept beside it, as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientType(&'static str);

/// Names that are matched whole, without regard to case.
const WHOLE: &[(&str, &str)] = &[
    ("claude", "Claude"),
    ("claude-ai", "Claude"),
    ("anthropic/claudeai", "Claude"),
    ("claude-code", "Claude"),
    ("claude desktop", "Claude"),
    ("claude-desktop", "Claude"),
    ("cursor", "Cursor"),
    ("cursor-vscode", "Cursor"),
    ("windsurf", "Windsurf"),
    ("windsurf-client", "Windsurf"),
    ("cline", "Cline"),
    ("@cline/core", "Cline"),
    ("augment-mcp-client", "Augment"),
    ("antigravity-client", "Antigravity"),
    ("q dev cli", "Amazon Q"),
    ("copilot-cli", "Copilot"),
    ("xcode-copilot-xcode", "Copilot"),
    ("visual studio code", "VS Code"),
    ("visual-studio-code", "VS Code"),
    ("visual studio code - insiders", "VS Code"),
    ("code - oss", "VS Code"),
    ("codex-mcp-client", "Codex"),
    ("zed", "Zed"),
    ("junie-client", "Junie"),
    ("roo code", "Roo Code"),
    ("roo-code", "Roo Code"),
    ("continue-client", "Continue"),
    ("continue-cli-client", "Continue"),
    ("goose", "goose"),
    ("goose-cli", "goose"),
    ("goose-desktop", "goose"),
    ("opencode", "opencode"),
    ("lmstudio-mcp-bridge", "LM Studio"),
    ("openai-mcp", "ChatGPT"),
    ("chatgpt", "ChatGPT"),
    ("kilo", "Kilo Code"),
    ("kilo-code", "Kilo Code"),
    ("amp-mcp-client", "Amp"),
    ("factory-cli", "Factory Droid"),
    ("crush", "Crush"),
    ("@n8n/n8n-nodes-langchain.mcpclienttool", "n8n"),
    ("inspector-cli", "MCP Inspector"),
    ("mcp-inspector", "MCP Inspector"),
    ("inspector-client", "MCP Inspector"),
    ("archonctl", "archonctl"),
];

/// Beginnings of names that carry a server's or product's name behind them.
const PREFIXES: &[(&str, &str)] = &[
    ("kiro", "KiRo"),
    ("gemini-cli", "Gemini"),
    ("gemini", "Gemini"),
    ("devin", "Devin"),
    ("augment", "Augment"),
    ("jetbrains-", "Copilot"),
    ("dev.warp.", "Warp"),
    ("qwen-cli-mcp-client", "Qwen Code"),
    ("grok-shell", "Grok"),
];

impl ClientType {
    /// What a client is that gives no name, or one that is not known.
    pub const UNKNOWN: Self = Self("Unknown");

    /// The product that calls itself `name`. The suffix that the `mcp-remote` bridge adds
    /// (` (via mcp-remote 0.15.1)`) is no part of the name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let name = name
            .split(" (via mcp-remote")
            .next()
            .unwrap_or(name)
            .trim()
            .to_lowercase();
        let whole = WHOLE.iter().find(|(known, _)| *known == name);
        let found = whole.or_else(|| PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix)));
        found.map_or(Self::UNKNOWN, |(_, product)| Self(product))
    }

    /// The name of the product as the store keeps it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ClientType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_real_clients_send_are_known() {
        for (name, product) in [
            ("claude-code", "Claude"),
            ("Anthropic/ClaudeAI", "Claude"),
            ("cursor-vscode", "Cursor"),
            ("windsurf-client", "Windsurf"),
            ("@cline/core", "Cline"),
            ("Kiro CLI", "KiRo"),
            ("augment-mcp-client", "Augment"),
            ("gemini-cli-mcp-client", "Gemini"),
            ("qwen-cli-mcp-client-docs", "Qwen Code"),
            ("claude-code (via mcp-remote 0.15.1)", "Claude"),
            ("mcp", "Unknown"),
            ("", "Unknown"),
        ] {
            assert_eq!(ClientType::from_name(name).as_str(), product, "{name}");
        }
    }
}
