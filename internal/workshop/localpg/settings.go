package localpg

import (
	"fmt"
	"maps"
	"slices"
)

// settings returns the server's command line. It is given at every start and nothing is written to postgresql.conf, so
// a cluster that an older version of this package created runs with the current settings.
func settings(o Options) []string {
	set := map[string]string{
		"listen_addresses":        "", // no TCP
		"unix_socket_directories": o.SocketDir,
		"port":                    port,
		"max_connections":         "200",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"jit":                     "off", // costs more than it gains for short statements
		// Names, addresses and tokens are in parameters and in error details. A log must contain neither.
		"log_parameter_max_length_on_error": "0",
		"log_error_verbosity":               "terse",
	}
	if !o.Durable {
		maps.Copy(set, map[string]string{
			"fsync":              "off",
			"synchronous_commit": "off",
			"full_page_writes":   "off",
			// Shared memory in files of the data directory, which is deleted with the cluster. By default the files are
			// in /dev/shm, where they stay for ever after a SIGKILL of the server.
			"dynamic_shared_memory_type": "mmap",
		})
	}
	if o.Follow != nil {
		set["primary_conninfo"] = o.Follow.conninfo()
	}
	if o.Archive != "" {
		set["archive_mode"] = "on"
		set["archive_command"] = fmt.Sprintf("cp %%p '%s/%%f.part' && mv '%[1]s/%%f.part' '%[1]s/%%f'", o.Archive)
		set["restore_command"] = fmt.Sprintf("cp '%s/%%f' %%p", o.Archive)
	}
	if o.Recover {
		set["hot_standby"] = "off" // the server accepts connections only when it accepts writes
	}
	maps.Copy(set, o.Settings)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		args = append(args, "-c", name+"="+set[name])
	}
	return args
}
