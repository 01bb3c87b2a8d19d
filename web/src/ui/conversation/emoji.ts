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
