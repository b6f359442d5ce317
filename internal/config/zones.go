package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Bounds on what zones names: more is a mistake in the path.
const (
	maxZoneFile  = 16 << 20 // octets
	maxZoneFiles = 1000
)

// ZoneFiles reads the files that zones names, by their paths; hidden ones of a
// folder are left out, and so are folders in it.
func (c *Config) ZoneFiles() (map[string][]byte, error) {
	if c.Zones == "" {
		return nil, nil
	}
	files := map[string][]byte{}
	read := func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("zones: %w", err)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxZoneFile+1))
		if err != nil {
			return fmt.Errorf("zones: %w", err)
		}
		if len(data) > maxZoneFile {
			return fmt.Errorf("zones: %s has more than %d octets", path, maxZoneFile)
		}
		files[path] = data
		return nil
	}
	info, err := os.Stat(c.Zones)
	if err != nil {
		return nil, fmt.Errorf("zones: %w", err)
	}
	if !info.IsDir() {
		return files, read(c.Zones)
	}
	list, err := os.ReadDir(c.Zones)
	if err != nil {
		return nil, fmt.Errorf("zones: %w", err)
	}
	for _, e := range list {
		if e.IsDir() || e.Name()[0] == '.' {
			continue
		}
		if len(files) == maxZoneFiles {
			return nil, fmt.Errorf("zones: more than %d files in %s", maxZoneFiles, c.Zones)
		}
		if err := read(filepath.Join(c.Zones, e.Name())); err != nil {
			return nil, err
		}
	}
	return files, nil
}
