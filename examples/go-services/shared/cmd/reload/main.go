// Command reload runs the service of the current folder, and again after each change of a source.
//
// It looks at modification times instead of waiting for events of the file system, for these do not
// reach a container whose sources are mounted from a virtual machine's host. What does not compile
// leaves the service running that ran before.
//
//	reload FOLDER…       folders whose .go, go.mod and go.sum files count; the first one is built
//	reload healthcheck   what the service says of itself; until it is compiled, that it is not healthy
package main

import (
	"io/fs"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	pause = 300 * time.Millisecond
	// Of a service that does not end by itself.
	patience = 5 * time.Second
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("reload: ")
	folders := os.Args[1:]
	if len(folders) == 0 {
		log.Fatal("usage: reload FOLDER…")
	}
	program := filepath.Join(os.TempDir(), "service")
	if folders[0] == "healthcheck" {
		if err := exec.Command(program, "healthcheck").Run(); err != nil {
			log.Fatal(err)
		}
		return
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	var running *exec.Cmd
	var seen time.Time
	ticks := time.Tick(pause)
	for {
		if newest := changed(folders); newest.After(seen) {
			seen = newest
			if built(folders[0], program) {
				stop(running)
				running = start(program)
			}
		}
		select {
		case <-ended:
			stop(running)
			return
		case <-ticks:
		}
	}
}

// changed returns when a source was changed last.
func changed(folders []string) time.Time {
	var newest time.Time
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !counts(entry.Name()) {
				return err
			}
			info, err := entry.Info()
			if err == nil && info.ModTime().After(newest) {
				newest = info.ModTime()
			}
			// A file that an editor replaces is gone for a moment.
			return nil
		})
		if err != nil {
			log.Print(err)
		}
	}
	return newest
}

func counts(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") || name == "go.mod" || name == "go.sum"
}

func built(folder, program string) bool {
	// The old file may be running, so the new one takes its place.
	made := exec.Command("go", "build", "-o", program+".new", ".")
	made.Dir, made.Stdout, made.Stderr = folder, os.Stdout, os.Stderr
	if err := made.Run(); err != nil {
		log.Printf("not started: %v", err)
		return false
	}
	return os.Rename(program+".new", program) == nil
}

func start(program string) *exec.Cmd {
	command := exec.Command(program)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Start(); err != nil {
		log.Print(err)
		return nil
	}
	log.Printf("started, process %d", command.Process.Pid)
	return command
}

func stop(command *exec.Cmd) {
	if command == nil {
		return
	}
	// It may have ended by itself.
	_ = command.Process.Signal(syscall.SIGTERM)
	killed := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	_ = command.Wait()
	killed.Stop()
}
