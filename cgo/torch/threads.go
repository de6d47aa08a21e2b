package torch

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// spinCount is how often a thread of libgomp looks for work before it goes to
// sleep. Its own default of 300,000 keeps a waiting thread on its processor for
// milliseconds: beside other programs the thread that is waited for may not run
// meanwhile. bench/busy.sh measures both sides.
const spinCount = "3000"

// waitVariables are those by which a user says how OpenMP's threads wait.
func waitVariables() []string { return []string{"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"} }

// setWaiting chooses how OpenMP's threads wait, unless the user has. It must come
// before libgomp is loaded, which reads its variables then.
func setWaiting() error {
	for _, name := range waitVariables() {
		if _, given := os.LookupEnv(name); given {
			return nil
		}
	}
	return os.Setenv("GOMP_SPINCOUNT", spinCount) // of C's environment, too
}

// defaultThreads is one thread a processor that the process may use, or fewer
// where a control group, such as a container's, gives it less time.
func defaultThreads() int {
	threads := runtime.NumCPU()
	if quota := cpuQuota("/proc/self/cgroup", "/sys/fs/cgroup"); quota > 0 {
		threads = min(threads, int(quota+0.999)) // rounded up: some use what is left over
	}
	return max(1, threads)
}

// cpuQuota is the number of processors whose time the process may use, 0 where
// there is no limit. record is /proc/self/cgroup; the control groups lie below root.
func cpuQuota(record, root string) float64 {
	text, _ := os.ReadFile(record) // without it there is root's own limit
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

// limitOf reads the limit of one control group, of either version; 0 is none.
func limitOf(folder string) float64 {
	if text, err := os.ReadFile(filepath.Join(folder, "cpu.max")); err == nil {
		quota, period, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
		return ratio(quota, period)
	}
	quota, _ := os.ReadFile(filepath.Join(folder, "cpu.cfs_quota_us"))
	period, _ := os.ReadFile(filepath.Join(folder, "cpu.cfs_period_us"))
	return ratio(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
}

// ratio is quota over period; 0 where one is no positive number, as "max" and -1 are.
func ratio(quota, period string) float64 {
	q, err := strconv.ParseFloat(quota, 64)
	p, err2 := strconv.ParseFloat(period, 64)
	if err != nil || err2 != nil || !(q > 0 && p > 0) {
		return 0
	}
	return q / p
}
