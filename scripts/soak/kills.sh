#!/usr/bin/env bash
# Kills a training at random times (20 times, or N times with scripts/soak/kills.sh N),
# resumes it each time, and compares the files with those of an uninterrupted run. The
# test suite has a test of this with four kills.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

eval "$(make -s env)"
TEST_KILLS=${1:-20} go test -count=1 -run TestTrainSurvivesKills -v ./cmd/acdclip
