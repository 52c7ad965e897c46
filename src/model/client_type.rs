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
        let name = Self::bare_name(name).to_lowercase();
        let whole = WHOLE.iter().find(|(known, _)| *known == name);
        let found = whole.or_else(|| PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix)));
        found.map_or(Self::UNKNOWN, |(_, product)| Self(product))
    }

    /// A client's own name, without what a bridge added to it.
    pub(super) fn bare_name(name: &str) -> &str {
        name.split(" (via mcp-remote").next().unwrap_or(name).trim()
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

    /// Names that were seen on the wire or in the clients' sources, and how they are filed.
    const SEEN: &[(&str, &str)] = &[
        ("claude-ai", "Claude"),
        ("Anthropic/ClaudeAI", "Claude"),
        ("claude-code", "Claude"),
        ("cursor-vscode", "Cursor"),
        ("Cursor", "Cursor"),
        ("windsurf-client", "Windsurf"),
        ("Windsurf", "Windsurf"),
        ("devin-cli", "Devin"),
        ("Cline", "Cline"),
        ("@cline/core", "Cline"),
        ("Kiro", "KiRo"),
        ("Kiro CLI", "KiRo"),
        ("Q DEV CLI", "Amazon Q"),
        ("augment-mcp-client", "Augment"),
        ("gemini-cli-mcp-client", "Gemini"),
        ("antigravity-client", "Antigravity"),
        ("Visual Studio Code", "VS Code"),
        ("Visual-Studio-Code", "VS Code"),
        ("Visual Studio Code - Insiders", "VS Code"),
        ("Code - OSS", "VS Code"),
        ("copilot-cli", "Copilot"),
        ("JetBrains-IU/copilot-intellij", "Copilot"),
        ("Xcode-copilot-xcode", "Copilot"),
        ("codex-mcp-client", "Codex"),
        ("Zed", "Zed"),
        ("junie-client", "Junie"),
        ("Roo Code", "Roo Code"),
        ("Roo-Code", "Roo Code"),
        ("continue-client", "Continue"),
        ("continue-cli-client", "Continue"),
        ("goose", "goose"),
        ("goose-cli", "goose"),
        ("goose-desktop", "goose"),
        ("opencode", "opencode"),
        ("lmstudio-mcp-bridge", "LM Studio"),
        ("dev.warp.Warp-Stable", "Warp"),
        ("openai-mcp", "ChatGPT"),
        ("ChatGPT", "ChatGPT"),
        ("kilo", "Kilo Code"),
        ("Kilo-Code", "Kilo Code"),
        ("qwen-cli-mcp-client-docs", "Qwen Code"),
        ("grok-shell-docs", "Grok"),
        ("amp-mcp-client", "Amp"),
        ("factory-cli", "Factory Droid"),
        ("crush", "Crush"),
        ("@n8n/n8n-nodes-langchain.mcpClientTool", "n8n"),
        ("inspector-cli", "MCP Inspector"),
        // These say nothing of the product: an SDK's default, a health check, a bridge's own probe.
        ("mcp", "Unknown"),
        ("mcp-test-client", "Unknown"),
        ("mcp-remote-fallback-test", "Unknown"),
        ("", "Unknown"),
    ];

    /// Rule: session/client-type
    #[test]
    fn every_name_that_real_clients_send_is_filed() {
        for (name, product) in SEEN {
            assert_eq!(ClientType::from_name(name).as_str(), *product, "{name}");
            let bridged = format!("{name} (via mcp-remote 0.15.1)");
            assert_eq!(
                ClientType::from_name(&bridged).as_str(),
                *product,
                "{bridged}"
            );
        }
    }
}
