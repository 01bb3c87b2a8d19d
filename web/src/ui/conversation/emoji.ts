/** The emoji one can pick, by shelf. Fetched when the picker is first opened. */

export interface Shelf {
  readonly key: "faces" | "hands" | "nature" | "food" | "things" | "signs";
  readonly sign: string;
  readonly emoji: readonly string[];
}

function shelf(key: Shelf["key"], text: string): Shelf {
  const emoji = text.trim().split(/\s+/u);
  return { key, sign: emoji[0] ?? "", emoji };
}

export const SHELVES: readonly Shelf[] = [
  shelf(
    "faces",
    `😀 😃 😄 😁 😆 😅 🤣 😂 🙂 🙃 😉 😊 😇 🥰 😍 🤩 😘 😗 😚 😋 😛 😜 🤪 😝 🤗 🤭 🤫 🤔 🤐 🤨 😐 😑 😶 😏 😒 🙄
     😬 😌 😔 😪 🤤 😴 😷 🤒 🤕 🤢 🤮 🤧 🥵 🥶 🥴 😵 🤯 🤠 🥳 😎 🤓 🧐 😕 😟 🙁 😮 😯 😲 😳 🥺 😦 😧 😨 😰 😥 😢
     😭 😱 😖 😣 😞 😓 😩 😫 🥱 😤 😡 😠 🤬 😈 👿 💀 💩 🤡 👻 👽 🤖 😺 😸 😹 😻 😼 😽 🙀 😿 😾 🙈 🙉 🙊`,
  ),
  shelf(
    "hands",
    `👍 👎 👌 ✌️ 🤞 🤟 🤘 🤙 👈 👉 👆 👇 ☝️ ✋ 🤚 🖐️ 🖖 👋 🤏 ✊ 👊 🤛 🤜 👏 🙌 👐 🤲 🤝 🙏 ✍️ 💪 👀 👂 👃 👄
     🧠 👶 🧒 👦 👧 🧑 👨 👩 🧓 👴 👵 🙋 🙆 🙅 🤷 🤦 🙇 💁 🚶 🏃 💃 🕺 👫 👪 ❤️ 🧡 💛 💚 💙 💜 🖤 🤍 🤎 💔 💕 💞
     💓 💗 💖 💘 💝 💋 💯 💢 💥 💫 💦 💤`,
  ),
  shelf(
    "nature",
    `🐶 🐱 🐭 🐹 🐰 🦊 🐻 🐼 🐨 🐯 🦁 🐮 🐷 🐸 🐵 🐔 🐧 🐦 🐤 🦆 🦅 🦉 🐺 🐴 🦄 🐝 🐛 🦋 🐌 🐞 🐜 🐢 🐍 🐙 🦐 🦀
     🐠 🐬 🐳 🐊 🐘 🐑 🐪 🐇 🌵 🎄 🌲 🌳 🌴 🌱 🌿 🍀 🎋 🍂 🍁 🌾 🌺 🌻 🌹 🌷 🌼 🌸 💐 🌍 🌙 ⭐ 🌟 ✨ ⚡ 🔥 🌈 ☀️ ⛅
     ☁️ 🌧️ ⛈️ ❄️ ⛄ 🌊 💧`,
  ),
  shelf(
    "food",
    `🍎 🍐 🍊 🍋 🍌 🍉 🍇 🍓 🍒 🍑 🥭 🍍 🥥 🥝 🍅 🥑 🥦 🥒 🌶️ 🌽 🥕 🥔 🍠 🥐 🍞 🧀 🥚 🍳 🥞 🥓 🍗 🍖 🌭 🍔 🍟 🍕
     🥪 🌮 🥗 🍝 🍜 🍲 🍛 🍣 🍱 🥟 🍤 🍙 🍚 🍘 🥠 🥮 🍢 🍡 🍧 🍨 🍦 🥧 🧁 🍰 🎂 🍮 🍭 🍬 🍫 🍿 🍩 🍪 ☕ 🍵 🧋 🥤 🍺
     🍻 🥂 🍷 🥢 🍽️`,
  ),
  shelf(
    "things",
    `⚽ 🏀 🏈 ⚾ 🎾 🏐 🏓 🏸 🥅 🏊 🚴 🏆 🥇 🥈 🥉 🎮 🎲 🀄 🎯 🎨 🎬 🎤 🎧 🎹 🎸 🎻 🚗 🚕 🚌 🚑 🚲 🛵 🚄 ✈️ 🚀 🚢 🏠 🏢
     🏫 🏥 ⛰️ 🏖️ 🌃 🎆 🎇 🧧 🎁 🎈 🎉 🎊 🏮 ⌚ 📱 💻 ⌨️ 🖥️ 🖨️ 📷 📺 ⏰ ⏳ 🔋 💡 🔦 💰 💳 💎 🔧 🔨 🔒 🔑 📦 📧 📅 📌
     📎 ✂️ 📝 📚 📖 🔍 💊 🚪 🛏️ 🚿 🧹`,
  ),
  shelf(
    "signs",
    `✅ ❌ ❓ ❗ ‼️ ⁉️ 💯 ⚠️ 🚫 🔞 ♻️ ✔️ ➕ ➖ ➡️ ⬅️ ⬆️ ⬇️ ↩️ 🔄 🔔 🔕 🔊 🔇 💬 💭 🆗 🆒 🆕 🆙 🔴 🟠 🟡 🟢 🔵 🟣 ⚫ ⚪
     0️⃣ 1️⃣ 2️⃣ 3️⃣ 4️⃣ 5️⃣ 6️⃣ 7️⃣ 8️⃣ 9️⃣ 🔟 🏁 🚩 🇨🇳`,
  ),
];

/** The newest first, each once. */
export function remember(recent: readonly string[], emoji: string, max = 16): string[] {
  return [emoji, ...recent.filter((one) => one !== emoji)].slice(0, max);
}

/** What may be typed for each emoji: its name, then keywords, with `|` between. By
 * `tools/emoji_words.py`. */
export type Words = Readonly<Record<string, string>>;

const MAX_FOUND = 64;

/** Those of the emoji that all parts of *query* lead to in one of the languages: recent ones first,
 * then those that are called so, then those that are only about it. */
export function findEmoji(query: string, languages: readonly Words[], recent: readonly string[]): string[] {
  const parts = query.toLocaleLowerCase().split(/\s+/u).filter((one) => one !== "");
  if (parts.length === 0) return [];
  const ranks = new Map<string, number>();
  for (const words of languages) {
    for (const [emoji, text] of Object.entries(words)) {
      const near = nearness(text, parts);
      if (near === 0) continue;
      const rank = recent.includes(emoji) ? 3 : near;
      ranks.set(emoji, Math.max(rank, ranks.get(emoji) ?? 0));
    }
  }
  return [...ranks.keys()]
    .sort((one, other) => (ranks.get(other) ?? 0) - (ranks.get(one) ?? 0))
    .slice(0, MAX_FOUND);
}

/** 2: it is called so, 1: a keyword is so, 0: neither. */
function nearness(text: string, parts: readonly string[]): 0 | 1 | 2 {
  const name = text.slice(0, `${text}|`.indexOf("|"));
  if (parts.every((part) => begins(name, part))) return 2;
  return parts.every((part) => begins(text, part)) ? 1 : 0;
}

/** Whether a word of *text* begins so; Chinese has no gaps between words, so anywhere. */
function begins(text: string, part: string): boolean {
  if (/[^\p{ASCII}]/u.test(part)) return text.includes(part);
  return [" ", "|", "-"].some((gap) => text.includes(gap + part)) || text.startsWith(part);
}
