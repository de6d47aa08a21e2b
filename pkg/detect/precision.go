package detect

import (
	"context"
	"fmt"
	"os"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/events"
	"acdclip/pkg/processor"
	"acdclip/pkg/speed"
	"acdclip/pkg/trained"
)

// needs returns what formats are needed for.
func (u Use) needs(device torch.Device) clip.Use {
	return clip.Use{Gradients: u == Training, CUDA: device.CUDA}
}

// SettlePrecision returns the number format for a model with these options, so that results
// can record it: for config.PrecisionFastest the fastest on this machine, else the
// configuration's. An error that wraps clip.ErrOptions says that it cannot be used so.
//
// On the CPU, the fastest format is found by a measurement of about a second, which
// speed.DefaultCache keeps; on a GPU it is bf16. emit receives what was chosen, or a warning
// if the format that the configuration names is slower than fp32.
func SettlePrecision(ctx context.Context, use Use, c config.Config, options section.Model, emit func(events.Event)) (config.Precision, error) {
	wanted := c.Precision.Format()
	if wanted == config.PrecisionFP32 {
		return wanted, nil
	}
	device, err := torch.ParseDevice(string(c.Device))
	if err != nil {
		return "", err
	}
	if device.CUDA && wanted == config.PrecisionFastest {
		emit(events.Notice{Text: fmt.Sprintf("precision: fastest is bf16 on %s", device)})
		return config.PrecisionBF16, nil
	}
	if wanted != config.PrecisionFastest {
		if err := clip.CheckFormat(string(wanted), use.needs(device)); err != nil || device.CUDA {
			return wanted, err
		}
	}
	times, err := blockTimes(ctx, use, c, options)
	if err != nil {
		return "", fmt.Errorf("comparing number formats: %w", err)
	}
	if wanted == config.PrecisionFastest {
		wanted = config.Precision(times.Fastest())
		emit(events.Notice{Text: fmt.Sprintf("precision: fastest is %s on this machine; a block of the image tower takes: %s", wanted, times)})
	} else if slower, is := times.Slower(string(wanted)); is {
		emit(events.Warning{Text: fmt.Sprintf("precision: %s is slower than fp32 on this machine, %.2g times as long for a block of the image tower (%s); fp32 or fastest takes less time, and %s only less memory",
			wanted, slower, times, wanted)})
	}
	return wanted, nil
}

// blockTimes returns how long a block of the CLIP's image tower takes on the CPU in each
// format that the use permits.
func blockTimes(ctx context.Context, use Use, c config.Config, options section.Model) (speed.Times, error) {
	weights, err := trained.OpenCLIP(c)
	if err != nil {
		return nil, err
	}
	shape := shapeOf(weights.Arch, options.Input().Size)
	if err := weights.Close(); err != nil {
		return nil, fmt.Errorf("reading CLIP %s: %w", c.Clip, err)
	}
	rt, err := torch.Open(torch.Options{Threads: c.Threads})
	if err != nil {
		return nil, err
	}
	defer rt.Close()
	permitted := clip.Permitted(use.needs(torch.CPU))
	key, err := speedKey(rt, use, shape, permitted)
	if err != nil {
		return nil, err
	}
	cache := speed.DefaultCache()
	if times, found := cache.Find(key); found {
		return times, nil
	}
	var seconds []float64
	err = rt.Do(ctx, func(s *torch.Scope) (err error) {
		seconds, err = clip.BlockTime(ctx, s, shape, permitted, use.needs(torch.CPU))
		return err
	})
	if err != nil {
		return nil, err
	}
	times := make(speed.Times, len(permitted))
	for i, format := range permitted {
		times[i] = speed.Time{Format: format.Name, Seconds: seconds[i]}
	}
	cache.Keep(key, times)
	return times, nil
}

// shapeOf returns the size of a block for pictures of a size; 0 is the CLIP's own.
func shapeOf(arch pretrained.Arch, size int) clip.BlockShape {
	if size == 0 {
		size = arch.ImageSize
	}
	grid := size / arch.Patch
	return clip.BlockShape{Width: arch.VisionWidth, Heads: arch.VisionHeads, Tokens: 1 + grid*grid}
}

// speedKey returns what the times depend on.
func speedKey(rt *torch.Runtime, use Use, shape clip.BlockShape, formats []clip.Format) (speed.Key, error) {
	libtorch, err := torch.Version()
	if err != nil {
		return speed.Key{}, err
	}
	instructions, err := torch.Hardware(torch.CPU)
	if err != nil {
		return speed.Key{}, err
	}
	native, err := nativeVersion()
	if err != nil {
		return speed.Key{}, err
	}
	key := speed.Key{
		CPU: processor.Read("/proc").Name, Instructions: instructions, Threads: rt.Threads(), Libtorch: libtorch, Native: native,
		Gradients: use == Training, Width: shape.Width, Heads: shape.Heads, Tokens: shape.Tokens,
	}
	for _, format := range formats {
		key.Formats = append(key.Formats, format.Name)
	}
	return key, nil
}

// nativeVersion tells builds of our native library apart, by size and time of the file.
func nativeVersion() (string, error) {
	library, err := torch.Find()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(library.Native)
	if err != nil {
		return "", fmt.Errorf("reading the native library: %w", err)
	}
	return fmt.Sprintf("%d bytes of %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano)), nil
}
