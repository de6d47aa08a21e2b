#!/usr/bin/env bash
# Kills one training again and again at random moments (20 times, or as often as
# scripts/soak/kills.sh N says), resumes it each time, and compares the files with those of
# a run that was left alone. The suite's own test of that kills four times.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

eval "$(make -s env)"
TEST_KILLS=${1:-20} go test -count=1 -run TestTrainSurvivesKills -v ./cmd/acdclip
