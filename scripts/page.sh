#!/usr/bin/env bash
# Makes docs/page.png, the README's picture of predict's page: draws pictures, scores them with
# the built-in model and takes a screenshot with Chromium. Usage: scripts/page.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bin/acdclip data synth "$work/drawn" --set textures --normal 30 --anomalous 30 --size 256 --seed 9 --quiet
cd "$work"
"$OLDPWD/bin/acdclip" predict drawn/*/test --threshold 0.5 --pixel-threshold 0.5 --html --quiet
options=(--headless --disable-gpu --hide-scrollbars --window-size=1240,820 --virtual-time-budget=5000)
[[ $(id -u) != 0 ]] || options+=(--no-sandbox)
chromium "${options[@]}" --screenshot="$work/page.png" "file://$work/acdclip-out/index.html" 2>/dev/null
cp page.png "$OLDPWD/docs/page.png"
