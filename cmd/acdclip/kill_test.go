package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"acdclip/internal/rundir"
)

// killsVariable sets how often TestTrainSurvivesKills kills its run.
const killsVariable = "TEST_KILLS"

// TestTrainSurvivesKills kills a training of each method again and again, at random
// moments, and resumes it each time. It must end in the files of a run that was left alone.
func TestTrainSurvivesKills(t *testing.T) {
	kills := 4
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", killsVariable, err)
		}
	}
	for method, settings := range map[string][]string{
		"acdclip": {"--set", "model.groups=2"}, "clip_ad": nil, "anomalyclip": nil, "adaclip": nil,
	} {
		t.Run(method, func(t *testing.T) {
			kills := kills
			if method != "acdclip" && os.Getenv(killsVariable) == "" {
				kills = 1 // what they share with it is tested there
			}
			surviveKills(t, kills, append([]string{"--method", method}, settings...))
		})
	}
}

func surviveKills(t *testing.T, kills int, settings []string) {
	p := newProgram(t)
	p.run("weights", "init", "clip")
	p.run("data", "synth", "tex", "--set", "textures", "--classes", "floor_tiles,wood_grain,woven_fabric", "--normal", "2", "--anomalous", "3", "--size", "64")
	epochs := kills*3/2 + 2
	train := append([]string{
		"train", "--clip", "clip", "--auxiliary", "tex", "--set", "model.image_size=42", "--set", "train.batch=2",
		"--set", "train.validate=wood_grain", "--set", "train.epochs=" + strconv.Itoa(epochs),
	}, settings...)
	p.run(append(slices.Clone(train), "--out", "whole", "--set", "data.workers=1")...)

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	resumed := append(slices.Clone(train), "--out", "killed", "--resume")
	for killed := 0; killed < kills; {
		// What may differ does: states are saved after every step, or now and then.
		minutes, workers := []string{"0", "0.0005"}[random.IntN(2)], strconv.Itoa(1+random.IntN(3))
		anywhere := killed > 0 && random.IntN(3) == 0 // at any moment, or once the run has gone on; the first time there is no run before
		if p.killed(append(slices.Clone(resumed), "--set", "train.save_minutes="+minutes, "--set", "data.workers="+workers), func() {
			if anywhere {
				time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
				return
			}
			further := p.lines("killed") + 1 + random.IntN(6) // up to an epoch
			for deadline := time.Now().Add(time.Minute); p.lines("killed") < further && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Duration(random.IntN(40_000)) * time.Microsecond)
		}) {
			killed++
			continue
		}
		t.Fatalf("the run ended after %d kills of %d", killed, kills)
	}
	t.Logf("%d kills; the last one after %d of %d lines of the log", kills, p.lines("killed"), epochs*7)
	p.run("train", "--resume", "--out", "killed") // the folder alone is enough

	names := []string{"last.safetensors", "best.safetensors"}
	for epoch := range epochs {
		names = append(names, rundir.EpochFile(epoch+1))
	}
	for _, name := range names {
		if !bytes.Equal(p.read("whole", name), p.read("killed", name)) {
			t.Errorf("%s is not that of a run that was left alone", name)
		}
	}
	timings := regexp.MustCompile(`"(pictures_per_second|seconds)":[^,}]+`)
	if want, got := timings.ReplaceAll(p.read("whole", "log.jsonl"), nil), timings.ReplaceAll(p.read("killed", "log.jsonl"), nil); !bytes.Equal(want, got) {
		t.Errorf("log.jsonl is\n%s\nthat of a run that was left alone is\n%s", got, want)
	}
	entries, err := os.ReadDir(filepath.Join(p.folder, "killed"))
	if want := len(names) + len([]string{rundir.ConfigFile, rundir.LogFile, "state.safetensors", rundir.OwnFolder}); err != nil || len(entries) != want {
		t.Errorf("the run folder holds %v (%v), want %d files", entries, err, want)
	}
}

// program runs acdclip in a folder of its own.
type program struct {
	t      *testing.T
	folder string
}

func newProgram(t *testing.T) program { return program{t, t.TempDir()} }

func (p program) command(arguments []string) *exec.Cmd {
	command := exec.Command("acdclip", arguments...)
	command.Dir = p.folder
	command.Env = append(os.Environ(), "ACDCLIP_THREADS=1", "ACDCLIP_DEVICE=cpu", "XDG_CACHE_HOME="+filepath.Join(p.folder, ".cache"))
	return command
}

func (p program) run(arguments ...string) {
	p.t.Helper()
	if output, err := p.command(arguments).CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %v: %s", arguments, err, output)
	}
}

// killed starts the program, kills it when wait returns, and reports whether it was still running.
func (p program) killed(arguments []string, wait func()) bool {
	p.t.Helper()
	command := p.command(arguments)
	var output bytes.Buffer
	command.Stderr = &output
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	wait()
	_ = command.Process.Kill() // it may have ended
	err := command.Wait()
	if err != nil && command.ProcessState.ExitCode() >= 0 {
		p.t.Fatalf("%v: %v: %s", arguments, err, output.String())
	}
	return err != nil
}

func (p program) read(run, name string) []byte {
	p.t.Helper()
	content, err := os.ReadFile(filepath.Join(p.folder, run, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return content
}

// lines counts those of a run's log.
func (p program) lines(run string) int {
	content, _ := os.ReadFile(filepath.Join(p.folder, run, rundir.LogFile)) // there may be none yet
	return bytes.Count(content, []byte("\n"))
}

// TestSecondSignal: the first signal ends the work in good order; where that takes
// too long, the second ends the program at once, and what is saved can be gone on from.
func TestSecondSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals")
	}
	p := newProgram(t)
	p.run("weights", "init", "clip")
	p.run("data", "synth", "tex", "--set", "textures", "--classes", "floor_tiles,wood_grain", "--normal", "2", "--anomalous", "2", "--size", "64")
	command := p.command([]string{
		"train", "--clip", "clip", "--auxiliary", "tex", "--out", "run", "--log", "json",
		"--set", "model.image_size=42", "--set", "model.groups=2", "--set", "train.batch=2", "--set", "train.epochs=100000",
	})
	// Nobody reads what it shows: once the pipe is full it stands still and cannot end by itself.
	unread, shown, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Close()
	command.Stderr = shown
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	_ = shown.Close() // the program has its own
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for last := -1; last != p.lines("run") || last < 10; time.Sleep(time.Second) { // until it stands still
		last = p.lines("run")
		select {
		case err := <-ended:
			t.Fatalf("it ended by itself: %v", err)
		default:
		}
	}
	deadline := time.After(time.Minute)
	for running := true; running; {
		_ = command.Process.Signal(os.Interrupt) // two that come at once are one
		select {
		case <-ended:
			running = false
		case <-deadline:
			_ = command.Process.Kill()
			t.Fatal("no second signal ended it")
		case <-time.After(50 * time.Millisecond):
		}
	}
	if state := command.ProcessState.String(); state != "signal: interrupt" {
		t.Errorf("it ended with %q", state)
	}
	p.run("train", "--resume", "--out", "run", "--set", "train.epochs="+strconv.Itoa(p.lines("run")/3+2)) // 3 lines an epoch
}
