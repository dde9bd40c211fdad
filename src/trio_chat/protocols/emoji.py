"""Emoji by the short names of other chats, most of which are not the Unicode ones."""

import re
from collections.abc import Mapping

_WORDS = """
smile 😄 smiley 😃 grinning 😀 grin 😁 laughing 😆 sweat_smile 😅 joy 😂 rofl 🤣 blush 😊
innocent 😇 slightly_smiling_face 🙂 upside_down_face 🙃 wink 😉 relieved 😌 heart_eyes 😍
kissing_heart 😘 yum 😋 stuck_out_tongue 😛 stuck_out_tongue_winking_eye 😜 zany_face 🤪
nerd_face 🤓 sunglasses 😎 star_struck 🤩 partying_face 🥳 smirk 😏 unamused 😒 disappointed 😞
pensive 😔 worried 😟 confused 😕 slightly_frowning_face 🙁 persevere 😣 confounded 😖
tired_face 😫 weary 😩 cry 😢 sob 😭 triumph 😤 angry 😠 rage 😡 exploding_head 🤯 flushed 😳
hot_face 🥵 cold_face 🥶 scream 😱 fearful 😨 cold_sweat 😰 sweat 😓 hugs 🤗 thinking 🤔
shushing_face 🤫 lying_face 🤥 no_mouth 😶 neutral_face 😐 expressionless 😑 grimacing 😬
roll_eyes 🙄 astonished 😲 open_mouth 😮 yawning 🥱 sleeping 😴 drooling_face 🤤 dizzy_face 😵
zipper_mouth_face 🤐 nauseated_face 🤢 sneezing_face 🤧 mask 😷 cowboy_hat_face 🤠 smiling_imp 😈
clown_face 🤡 poop 💩 ghost 👻 skull 💀 alien 👽 robot 🤖 see_no_evil 🙈 hear_no_evil 🙉
speak_no_evil 🙊 wave 👋 ok_hand 👌 pinched_fingers 🤌 v ✌️ crossed_fingers 🤞 metal 🤘
call_me_hand 🤙 point_left 👈 point_right 👉 point_up_2 👆 point_down 👇 +1 👍 thumbsup 👍 -1 👎
thumbsdown 👎 fist ✊ punch 👊 clap 👏 raised_hands 🙌 open_hands 👐 handshake 🤝 pray 🙏
muscle 💪 writing_hand ✍️ raised_hand ✋ vulcan_salute 🖖 eyes 👀 brain 🧠 facepalm 🤦 shrug 🤷
bow 🙇 raising_hand 🙋 no_good 🙅 ok_woman 🙆 running 🏃 dancer 💃 baby 👶 heart ❤️
orange_heart 🧡 yellow_heart 💛 green_heart 💚 blue_heart 💙 purple_heart 💜 black_heart 🖤
broken_heart 💔 two_hearts 💕 sparkling_heart 💖 100 💯 boom 💥 anger 💢 dizzy 💫 sweat_drops 💦
dash 💨 zzz 💤 speech_balloon 💬 thought_balloon 💭 kiss 💋 dog 🐶 cat 🐱 mouse 🐭 rabbit 🐰
fox_face 🦊 bear 🐻 panda_face 🐼 monkey 🐒 unicorn 🦄 horse 🐴 cow 🐮 pig 🐷 frog 🐸 chicken 🐔
penguin 🐧 bird 🐦 owl 🦉 bee 🐝 bug 🐛 butterfly 🦋 snail 🐌 turtle 🐢 snake 🐍 crab 🦀
octopus 🐙 fish 🐟 dolphin 🐬 whale 🐳 elephant 🐘 crocodile 🐊 dragon 🐉 rose 🌹 tulip 🌷
sunflower 🌻 four_leaf_clover 🍀 evergreen_tree 🌲 cactus 🌵 mushroom 🍄 apple 🍎 banana 🍌
lemon 🍋 grapes 🍇 strawberry 🍓 watermelon 🍉 avocado 🥑 bread 🍞 cheese 🧀 egg 🥚 bacon 🥓
hamburger 🍔 fries 🍟 pizza 🍕 hotdog 🌭 taco 🌮 sushi 🍣 ramen 🍜 popcorn 🍿 icecream 🍦
doughnut 🍩 cookie 🍪 cake 🍰 birthday 🎂 chocolate_bar 🍫 candy 🍬 coffee ☕ tea 🍵 beer 🍺
beers 🍻 wine_glass 🍷 cocktail 🍸 champagne 🍾 clinking_glasses 🥂 fork_and_knife 🍴 sunny ☀️
cloud ☁️ rain_cloud 🌧️ snowflake ❄️ snowman ⛄ zap ⚡ rainbow 🌈 umbrella ☔ ocean 🌊 fire 🔥
droplet 💧 star ⭐ star2 🌟 sparkles ✨ moon 🌙 earth_africa 🌍 earth_americas 🌎 rocket 🚀
airplane ✈️ car 🚗 bike 🚲 train 🚆 ship 🚢 house 🏠 office 🏢 tent ⛺ mountain ⛰️ world_map 🗺️
tada 🎉 confetti_ball 🎊 balloon 🎈 gift 🎁 trophy 🏆 medal_sports 🏅 soccer ⚽ basketball 🏀
chess_pawn ♟️ dart 🎯 game_die 🎲 video_game 🎮 guitar 🎸 musical_note 🎵 notes 🎶 headphones 🎧
microphone 🎤 art 🎨 movie_camera 🎥 camera 📷 tv 📺 computer 💻 keyboard ⌨️ floppy_disk 💾 cd 💿
phone ☎️ iphone 📱 battery 🔋 electric_plug 🔌 bulb 💡 flashlight 🔦 candle 🕯️ wastebasket 🗑️
moneybag 💰 dollar 💵 credit_card 💳 gem 💎 wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️ gear ⚙️
link 🔗 paperclip 📎 scissors ✂️ pushpin 📌 pencil2 ✏️ memo 📝 book 📖 books 📚 bookmark 🔖
newspaper 📰 calendar 📆 chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 bar_chart 📊
clipboard 📋 file_folder 📁 package 📦 email 📧 envelope ✉️ inbox_tray 📥 outbox_tray 📤 lock 🔒
unlock 🔓 key 🔑 mag 🔍 bell 🔔 no_bell 🔕 loudspeaker 📢 mega 📣 hourglass ⌛ watch ⌚
alarm_clock ⏰ stopwatch ⏱️ bomb 💣 pill 💊 microscope 🔬 telescope 🔭 satellite 📡 door 🚪 bed 🛏️
crown 👑 tophat 🎩 eyeglasses 👓 warning ⚠️ construction 🚧 rotating_light 🚨 stop_sign 🛑
no_entry ⛔ no_entry_sign 🚫 white_check_mark ✅ heavy_check_mark ✔️ x ❌ question ❓
exclamation ❗ bangbang ‼️ interrobang ⁉️ recycle ♻️ arrow_up ⬆️ arrow_down ⬇️ arrow_left ⬅️
arrow_right ➡️ repeat 🔁 arrows_counterclockwise 🔄 heavy_plus_sign ➕ heavy_minus_sign ➖
infinity ♾️ copyright ©️ tm ™️ red_circle 🔴 orange_circle 🟠 yellow_circle 🟡 green_circle 🟢
large_blue_circle 🔵 checkered_flag 🏁 white_flag 🏳️ pirate_flag 🏴‍☠️ rainbow_flag 🏳️‍🌈
"""

#: Those in common use, by name.
COMMON: Mapping[str, str] = dict(pair.split(" ") for pair in re.findall(r"\S+ \S+", _WORDS))
