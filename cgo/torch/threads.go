package torch

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// spinCount is how many times a thread of libgomp checks for work before it sleeps. The
// default, 300,000, keeps a waiting thread on its CPU for milliseconds. On a busy machine
// this can block the very thread that it waits for. bench/busy.sh measures both settings.
const spinCount = "300"

// waitVariables are the environment variables by which a user sets how OpenMP's threads wait.
func waitVariables() []string { return []string{"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"} }

// setWaiting sets how OpenMP's threads wait, unless the user has set it. It must be called
// before libgomp is loaded, because libgomp reads the variables then.
func setWaiting() error {
	for _, name := range waitVariables() {
		if _, given := os.LookupEnv(name); given {
			return nil
		}
	}
	return os.Setenv("GOMP_SPINCOUNT", spinCount) // cgo also sets it in C's environment
}

// defaultThreads returns one thread per CPU that the process may use, or fewer if a control
// group, such as a container's, limits its CPU time.
func defaultThreads() int {
	threads := runtime.NumCPU()
	if quota := cpuQuota("/proc/self/cgroup", "/sys/fs/cgroup"); quota > 0 {
		threads = min(threads, int(quota+0.999)) // rounded up, to use a fractional CPU too
	}
	return max(1, threads)
}

// cpuQuota returns the number of CPUs whose time the process may use, 0 without a limit.
// record is /proc/self/cgroup; root is the folder of the control groups.
func cpuQuota(record, root string) float64 {
	text, _ := os.ReadFile(record) // if it cannot be read, only root's limit counts
	quota := 0.0
	smaller := func(limit float64) {
		if limit > 0 && (quota == 0 || limit < quota) {
			quota = limit
		}
	}
	smaller(limitOf(root))
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, path
		if len(fields) < 3 || !filepath.IsAbs(fields[2]) {
			continue
		}
		above := root
		switch {
		case fields[1] == "": // version 2
		case hasController(fields[1], "cpu"):
			above = filepath.Join(root, fields[1])
			smaller(limitOf(above))
		default:
			continue
		}
		for path := filepath.Clean(fields[2]); path != "/"; path = filepath.Dir(path) {
			smaller(limitOf(filepath.Join(above, path)))
		}
	}
	return quota
}

func hasController(list, name string) bool {
	for controller := range strings.SplitSeq(list, ",") {
		if controller == name {
			return true
		}
	}
	return false
}

// limitOf reads the limit of one control group of version 1 or 2; 0 means no limit.
func limitOf(folder string) float64 {
	if text, err := os.ReadFile(filepath.Join(folder, "cpu.max")); err == nil {
		quota, period, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
		return ratio(quota, period)
	}
	quota, _ := os.ReadFile(filepath.Join(folder, "cpu.cfs_quota_us"))
	period, _ := os.ReadFile(filepath.Join(folder, "cpu.cfs_period_us"))
	return ratio(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
}

// ratio returns quota divided by period; 0 if either is not a positive number, such as "max" or -1.
func ratio(quota, period string) float64 {
	q, err := strconv.ParseFloat(quota, 64)
	p, err2 := strconv.ParseFloat(period, 64)
	if err != nil || err2 != nil || !(q > 0 && p > 0) {
		return 0
	}
	return q / p
}
