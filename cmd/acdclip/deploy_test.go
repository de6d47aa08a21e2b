package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"acdclip/internal/golden"
)

func repositoryFile(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{golden.Root()}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// servePaths are the paths that the service has, as openapi.yaml describes them.
func servePaths(t *testing.T) map[string]any {
	t.Helper()
	var described struct{ Paths map[string]any }
	if err := yaml.Unmarshal([]byte(repositoryFile(t, "pkg", "serve", "openapi.yaml")), &described); err != nil || len(described.Paths) == 0 {
		t.Fatalf("%v: %v", err, described.Paths)
	}
	return described.Paths
}

// parsed has the program's command line parse what follows its name, and returns the command.
// It must be what the command takes.
func parsed(t *testing.T, name string, words []string) *cobra.Command {
	t.Helper()
	a := newApp(io.Discard, io.Discard, false)
	command, rest, err := newRoot(a).Find(words)
	if err == nil {
		err = command.ParseFlags(rest)
	}
	if err == nil {
		err = command.ValidateArgs(command.Flags().Args())
	}
	if err != nil {
		t.Fatalf("%s: acdclip %q: %v", name, words, err)
	}
	return command
}

func drainOf(t *testing.T, command *cobra.Command) time.Duration {
	t.Helper()
	drain, err := time.ParseDuration(command.Flags().Lookup("drain").Value.String())
	if err != nil {
		t.Fatal(err)
	}
	return drain
}

// settings are the assignments of a unit, by name.
func settings(unit string) map[string][]string {
	found := map[string][]string{}
	for line := range strings.Lines(unit) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			found[name] = append(found[name], value)
		}
	}
	return found
}

// The unit's command line is one of serve, also with the flags of its example, and systemd waits
// longer than the service.
func TestUnit(t *testing.T) {
	unit := repositoryFile(t, "deploy", "acdclip.service")
	set := settings(unit)
	example := regexp.MustCompile(`(?m)^#\s+SERVE_FLAGS=(.*)$`).FindStringSubmatch(unit)
	if len(set["ExecStart"]) != 1 || example == nil {
		t.Fatalf("ExecStart is %q, the example %q", set["ExecStart"], example)
	}
	words := strings.Fields(strings.Replace(set["ExecStart"][0], "$SERVE_FLAGS", example[1], 1))
	if filepath.Base(words[0]) != "acdclip" || !strings.HasSuffix(set["ExecStart"][0], "$SERVE_FLAGS") {
		t.Errorf("ExecStart is %q", set["ExecStart"])
	}
	serve := parsed(t, "acdclip.service", words[1:])
	stop, err := time.ParseDuration(set["TimeoutStopSec"][0])
	if drain := drainOf(t, serve); err != nil || serve.Name() != "serve" || stop <= drain {
		t.Errorf("%s: systemd waits %v, the service %v, %v", serve.Name(), stop, drain, err)
	}
	credential := strings.SplitN(set["LoadCredential"][0], ":", 2)[0]
	if token := serve.Flags().Lookup("token-file").Value.String(); token != "${CREDENTIALS_DIRECTORY}/"+credential {
		t.Errorf("--token-file is %s, the credential %s", token, credential)
	}
	for name, want := range map[string]string{"Type": "notify", "ExecReload": "/bin/kill -HUP $MAINPID", "KillSignal": "SIGTERM", "RestartPreventExitStatus": "2", "DynamicUser": "yes", "ProtectSystem": "strict", "NoNewPrivileges": "yes", "CapabilityBoundingSet": ""} {
		if got := set[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// probe is a probe of Kubernetes.
type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// confinement is what containers may not do.
type confinement struct {
	AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
	ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
	Capabilities             struct{ Drop []string }
}

type container struct {
	Command, Args []string
	Ports         []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe   probe `yaml:"startupProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
	LivenessProbe  probe `yaml:"livenessProbe"`
	Lifecycle      struct {
		PreStop struct{ Exec struct{ Command []string } } `yaml:"preStop"`
	}
	SecurityContext confinement `yaml:"securityContext"`
	VolumeMounts    []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
	Resources struct{ Limits map[string]string }
}

// manifest is what the tests read of a Deployment or a Service.
type manifest struct {
	Kind string
	Spec struct {
		Selector yaml.Node // differs between the kinds
		Ports    []struct {
			TargetPort string `yaml:"targetPort"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Grace           int `yaml:"terminationGracePeriodSeconds"`
				SecurityContext struct {
					RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
					SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
				} `yaml:"securityContext"`
				InitContainers []container `yaml:"initContainers"`
				Containers     []container
				Volumes        []struct {
					Name   string
					Secret struct {
						Name string `yaml:"secretName"`
					}
				}
			}
		}
	}
}

// manifests reads the documents of the example for Kubernetes.
func manifests(t *testing.T) (deployment, service manifest) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(repositoryFile(t, "deploy", "kubernetes.yaml"))))
	for {
		var m manifest
		err := decoder.Decode(&m)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch m.Kind {
		case "Deployment":
			deployment = m
		case "Service":
			service = m
		default:
			t.Errorf("unexpected kind %q", m.Kind)
		}
	}
	if len(deployment.Spec.Template.Spec.Containers) != 1 || len(deployment.Spec.Template.Spec.InitContainers) != 1 || len(service.Spec.Ports) != 1 {
		t.Fatalf("the deployment is %+v, the service %+v", deployment, service)
	}
	return deployment, service
}

// The Deployment's command lines, probes, ports, times and files fit the program and each other.
func TestKubernetes(t *testing.T) {
	deployment, service := manifests(t)
	pod := deployment.Spec.Template.Spec
	c, paths := pod.Containers[0], servePaths(t)
	for _, each := range slices.Concat(pod.InitContainers, pod.Containers) {
		words := slices.Concat(each.Command, each.Args)
		parsed(t, "kubernetes.yaml", words[1:])
		s := each.SecurityContext
		if words[0] != "acdclip" || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) || each.Resources.Limits["memory"] == "" {
			t.Errorf("%+v", each)
		}
	}
	if s := pod.SecurityContext; !s.RunAsNonRoot || s.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("%+v", s)
	}
	serve := parsed(t, "kubernetes.yaml", slices.Concat(c.Command[1:], c.Args))
	if len(c.Ports) != 1 || service.Spec.Ports[0].TargetPort != c.Ports[0].Name || serve.Flags().Lookup("listen").Value.String() != ":"+strconv.Itoa(c.Ports[0].ContainerPort) {
		t.Errorf("the ports are %+v and %+v", c.Ports, service.Spec.Ports)
	}
	for _, p := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if paths[p.HTTPGet.Path] == nil || p.HTTPGet.Port != c.Ports[0].Name {
			t.Errorf("the probe %+v asks for what there is not", p)
		}
	}
	before := c.Lifecycle.PreStop.Exec.Command
	if len(before) != 2 || before[0] != "sleep" {
		t.Fatalf("preStop is %q", before)
	}
	sleep, err := strconv.Atoi(before[1])
	if grace := time.Duration(pod.Grace) * time.Second; err != nil || grace <= time.Duration(sleep)*time.Second+drainOf(t, serve) {
		t.Errorf("the pod has %v to end, %v", grace, err)
	}
	token := serve.Flags().Lookup("token-file").Value.String()
	if len(c.VolumeMounts) != 1 || len(pod.Volumes) != 1 || c.VolumeMounts[0].Name != pod.Volumes[0].Name || pod.Volumes[0].Secret.Name == "" || filepath.Dir(token) != c.VolumeMounts[0].MountPath {
		t.Errorf("--token-file is %s, mounted are %+v of %+v", token, c.VolumeMounts, pod.Volumes)
	}
	var selected map[string]string
	if err := service.Spec.Selector.Decode(&selected); err != nil || len(selected) == 0 || selected["app"] != deployment.Spec.Template.Metadata.Labels["app"] {
		t.Errorf("the service selects %v, %v", selected, err)
	}
}

// The image of the service listens where its health check asks, and the image without a target
// is that of the program.
func TestDockerfile(t *testing.T) {
	text := strings.ReplaceAll(repositoryFile(t, "Dockerfile"), "\\\n", "")
	stages := regexp.MustCompile(`(?m)^FROM .* AS (\w+)$`).FindAllStringSubmatchIndex(text, -1)
	last := stages[len(stages)-1]
	if name := text[last[2]:last[3]]; name != "program" || !strings.Contains(text[last[1]:], "ENTRYPOINT [\"acdclip\"]\n") {
		t.Errorf("the last stage is %s", name)
	}
	words := func(instruction string) []string {
		t.Helper()
		line := regexp.MustCompile(instruction + `(\[.*\])`).FindStringSubmatch(text[:last[0]])
		var list []string
		if line == nil || yaml.Unmarshal([]byte(line[1]), &list) != nil || list[0] != "acdclip" {
			t.Fatalf("%s: %q", instruction, line)
		}
		return list[1:]
	}
	serve, check := parsed(t, "ENTRYPOINT", words(`ENTRYPOINT `)), parsed(t, "HEALTHCHECK", words(`HEALTHCHECK .*CMD `))
	port := regexp.MustCompile(`EXPOSE (\d+)`).FindStringSubmatch(text)
	if port == nil || serve.Flags().Lookup("listen").Value.String() != ":"+port[1] || check.Flags().Lookup("service").Value.String() != "http://127.0.0.1:"+port[1] {
		t.Errorf("exposed is %q; the service runs %v, the check %v", port, serve.Flags().Lookup("listen").Value, check.Flags().Lookup("service").Value)
	}
}
