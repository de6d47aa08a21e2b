package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"acdclip/cgo/torch"
	"acdclip/internal/ui"
	"acdclip/pkg/report"
)

// doctorOptions are what `acdclip doctor` was asked for.
type doctorOptions struct {
	app     *app
	format  doctorFormat
	service string // URL of a service to check instead of the machine; "" for none
}

// doctorFormat is how the diagnosis is printed.
type doctorFormat string

const (
	doctorText doctorFormat = "text"
	doctorJSON doctorFormat = "json"
)

// errUnwell says that the verbs with a model cannot run here.
var errUnwell = errors.New("train, eval and predict cannot run here; see the problems above")

func newDoctorCommand(a *app) *cobra.Command {
	o := &doctorOptions{app: a, format: doctorText}
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine: what is found, what is wrong, how to fix it",
		Long: `Check what acdclip finds on this machine, what is missing, and how to fix it. Without
libtorch, only the commands that run no model work (weights, data, metrics, plot,
doctor).

With --service, check instead whether a running "acdclip serve" takes pictures (GET
/readyz), as a container's health check. On a loopback address, any certificate will do.`,
		Example: `  acdclip doctor
  acdclip doctor --service http://127.0.0.1:8080`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error { return runDoctor(command.Context(), o) },
	}
	ui.Choice(command.Flags(), &o.format, "format", []doctorFormat{doctorText, doctorJSON}, "output format")
	command.Flags().StringVar(&o.service, "service", "", "`URL` of a service to check instead of this machine")
	return command
}

func runDoctor(ctx context.Context, o *doctorOptions) error {
	if o.service != "" {
		return runServiceCheck(ctx, o)
	}
	d := diagnose(readMachine("/proc", "/sys/fs/cgroup"))
	if err := d.write(o.app.out, o.format); err != nil {
		return err
	}
	if !d.Well {
		return errUnwell
	}
	return nil
}

// diagnosis is what doctor says.
type diagnosis struct {
	Version  string   `json:"version"`
	Go       string   `json:"go"`
	System   string   `json:"system"` // such as linux/amd64
	Machine  machine  `json:"machine"`
	Libtorch library  `json:"libtorch"`
	Devices  []string `json:"devices"`
	Threads  int      `json:"threads"`  // that the model would use on the CPU
	Problems []string `json:"problems"` // each with what mends it
	Advice   []string `json:"advice"`   // what only makes it slower
	Well     bool     `json:"well"`     // the verbs with a model can run
}

// library is where libtorch is and what it says of itself; empty where it was not found.
type library struct {
	Folder  string `json:"folder"`
	Native  string `json:"native"` // the path of our own library for it
	Version string `json:"version"`
}

func diagnose(m machine) *diagnosis {
	d := &diagnosis{
		Version: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Machine: m,
		Devices: []string{}, Problems: []string{}, Advice: []string{},
	}
	d.Advice = append(d.Advice, m.advice()...)
	if err := d.findLibtorch(); err != nil {
		d.Problems = append(d.Problems, strings.Join(ui.ErrorLines(err), "; "))
	}
	d.Well = len(d.Problems) == 0
	return d
}

// findLibtorch finds, loads and starts libtorch.
func (d *diagnosis) findLibtorch() error {
	found, err := torch.Find()
	d.Libtorch = library{Folder: found.Libtorch, Native: found.Native}
	if err != nil {
		return err
	}
	if d.Libtorch.Version, err = torch.Version(); err != nil {
		return err
	}
	rt, err := torch.Open(torch.Options{})
	if err != nil {
		return err
	}
	d.Threads = rt.Threads()
	rt.Close()
	d.Devices = append(d.Devices, "cpu")
	return d.findCUDA(found.CUDA)
}

// findCUDA lists the CUDA devices; withCUDA says that both a driver and libtorch's CUDA part are there.
func (d *diagnosis) findCUDA(withCUDA bool) error {
	if d.Machine.NVIDIADriver && !withCUDA {
		d.Advice = append(d.Advice, fmt.Sprintf("an NVIDIA driver is installed, but this libtorch is built for the CPU only; to use the GPU, set $%s to the torch folder of a CUDA build (a Python torch of the same version) and run `make build`", torch.LibtorchVariable))
		return nil
	}
	if problem := torch.CUDAProblem(); problem != nil {
		d.Advice = append(d.Advice, fmt.Sprintf("the GPU cannot be used: %v; everything runs on the CPU", problem))
		return nil
	}
	count, err := torch.CUDACount()
	if err != nil {
		return err
	}
	for i := range count {
		name, memory, err := torch.DescribeCUDA(i)
		if err != nil {
			return err
		}
		d.Devices = append(d.Devices, fmt.Sprintf("%v: %s with %s", torch.Device{CUDA: true, Index: i}, name, ui.Gigabytes(memory)))
	}
	return nil
}

func (d *diagnosis) write(w io.Writer, format doctorFormat) error {
	if format == doctorJSON {
		return report.WriteIndented(w, d)
	}
	_, err := io.WriteString(w, d.text())
	return err
}

func (d *diagnosis) text() string {
	m := d.Machine
	libtorch := "not usable"
	if d.Libtorch.Version != "" {
		libtorch = d.Libtorch.Version + " in " + d.Libtorch.Folder
	}
	facts := []ui.Fact{
		{"version", fmt.Sprintf("%s, built with %s for %s", d.Version, d.Go, d.System)},
		{"processor", m.Processor},
		{"features", strings.Join(m.Features, ", ")},
		{"cores", fmt.Sprintf("%d usable by this process", m.Cores)},
		{"memory", ui.Gigabytes(m.FreeMemory) + " free"},
		{"libtorch", libtorch},
		{"native part", d.Libtorch.Native},
		{"devices", strings.Join(d.Devices, "; ")},
	}
	if d.Threads > 0 {
		facts = append(facts, ui.Fact{"threads", fmt.Sprint(d.Threads)})
	}
	var b strings.Builder
	b.WriteString("acdclip\n" + ui.Facts(facts))
	for _, part := range []struct {
		title string
		lines []string
	}{{"problems", d.Problems}, {"advice", d.Advice}} {
		if len(part.lines) > 0 {
			b.WriteString(part.title + "\n")
		}
		for _, line := range part.lines {
			b.WriteString("  - " + ui.Visible(line) + "\n")
		}
	}
	if d.Well {
		b.WriteString("no problems: train, eval and predict can run\n")
	}
	return b.String()
}
