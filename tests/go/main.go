// GoVPP, unmodified, against a node: binary API, events, statistics.
//
// The bindings in binapi/ are made by GoVPP's own generator from what `barrow api json` writes.
// Arguments: API socket, statistics socket. Prints "ok" at the end, or says what is wrong and fails.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"go.fd.io/govpp"
	"go.fd.io/govpp/adapter/statsclient"
	"go.fd.io/govpp/api"
	"go.fd.io/govpp/core"

	"barrow.test/govpp/binapi/fib_types"
	interfaces "barrow.test/govpp/binapi/interface"
	"barrow.test/govpp/binapi/interface_types"
	"barrow.test/govpp/binapi/ip"
	"barrow.test/govpp/binapi/ip_types"
	"barrow.test/govpp/binapi/memclnt"
	"barrow.test/govpp/binapi/vpe"
)

const patience = 60 * time.Second

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func run(apiSocket, statsSocket string) error {
	// The health check stays on. Its limit of 250 ms is for a machine that does nothing else.
	core.HealthCheckReplyTimeout = 10 * time.Second
	conn, states, err := govpp.AsyncConnect(apiSocket, 3, time.Second)
	if err != nil {
		return err
	}
	if state := <-states; state.State != core.Connected {
		return fmt.Errorf("%v: %w", state.State, state.Error)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	steps := []struct {
		name string
		run  func(context.Context, *core.Connection) error
	}{
		{"compatibility", compatible},
		{"version", version},
		{"interfaces and events", interfacesAndEvents},
		{"error numbers", errorNumbers},
		{"routes", routes},
		{"load", load},
	}
	for _, step := range steps {
		if err := step.run(ctx, conn); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	if err := statistics(statsSocket); err != nil {
		return fmt.Errorf("statistics: %w", err)
	}
	// Long enough for at least one ping of the health check.
	select {
	case state := <-states:
		return fmt.Errorf("the connection became %v: %w", state.State, state.Error)
	case <-time.After(core.HealthCheckProbeInterval + 500*time.Millisecond):
	}
	conn.Disconnect()
	return nil
}

// compatible asks for each message of the bindings, by name and CRC.
func compatible(_ context.Context, conn *core.Connection) error {
	ch, err := conn.NewAPIChannel()
	if err != nil {
		return err
	}
	defer ch.Close()
	return ch.CheckCompatiblity(append(vpe.AllMessages(), ip.AllMessages()[:2]...)...)
}

func version(ctx context.Context, conn *core.Connection) error {
	if _, err := memclnt.NewServiceClient(conn).ControlPing(ctx, &memclnt.ControlPing{}); err != nil {
		return err
	}
	reply, err := vpe.NewServiceClient(conn).ShowVersion(ctx, &vpe.ShowVersion{})
	if err != nil {
		return err
	}
	if reply.Program != "vpe" || !strings.HasPrefix(reply.Version, "26.06-barrow.") {
		return fmt.Errorf("%+v", reply)
	}
	return nil
}

func interfacesAndEvents(ctx context.Context, conn *core.Connection) error {
	watcher, err := conn.WatchEvent(ctx, (*interfaces.SwInterfaceEvent)(nil))
	if err != nil {
		return err
	}
	defer watcher.Close()
	client := interfaces.NewServiceClient(conn)
	want := &interfaces.WantInterfaceEvents{EnableDisable: 1, PID: uint32(os.Getpid())}
	if _, err := client.WantInterfaceEvents(ctx, want); err != nil {
		return err
	}
	loop, err := client.CreateLoopback(ctx, &interfaces.CreateLoopback{})
	if err != nil {
		return err
	}
	if loop.SwIfIndex != 1 {
		return fmt.Errorf("the first interface has index %d", loop.SwIfIndex)
	}
	up := &interfaces.SwInterfaceSetFlags{
		SwIfIndex: loop.SwIfIndex,
		Flags:     interface_types.IF_STATUS_API_FLAG_ADMIN_UP,
	}
	if _, err := client.SwInterfaceSetFlags(ctx, up); err != nil {
		return err
	}
	for seen := false; !seen; {
		select {
		case event := <-watcher.Events():
			e := event.(*interfaces.SwInterfaceEvent)
			seen = e.SwIfIndex == loop.SwIfIndex &&
				e.Flags&interface_types.IF_STATUS_API_FLAG_ADMIN_UP != 0
		case <-ctx.Done():
			return errors.New("no event")
		}
	}
	stream, err := client.SwInterfaceDump(ctx, &interfaces.SwInterfaceDump{SwIfIndex: ^interface_types.InterfaceIndex(0)})
	if err != nil {
		return err
	}
	var names []string
	for {
		details, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		names = append(names, details.InterfaceName)
	}
	if got := strings.Join(names, " "); got != "local0 loop0" {
		return fmt.Errorf("interfaces: %s", got)
	}
	return nil
}

func errorNumbers(ctx context.Context, conn *core.Connection) error {
	flags := &interfaces.SwInterfaceSetFlags{SwIfIndex: 9999}
	_, err := interfaces.NewServiceClient(conn).SwInterfaceSetFlags(ctx, flags)
	if !errors.Is(err, api.VPPApiError(-2)) {
		return fmt.Errorf("an interface that does not exist: %v", err)
	}
	return nil
}

func route(n uint32) *ip.IPRouteAddDel {
	address := ip_types.IP4Address{20, byte(n >> 16), byte(n >> 8), byte(n)}
	return &ip.IPRouteAddDel{
		IsAdd: true,
		Route: ip.IPRoute{
			Prefix: ip_types.Prefix{
				Address: ip_types.Address{Af: ip_types.ADDRESS_IP4, Un: ip_types.AddressUnionIP4(address)},
				Len:     32,
			},
			NPaths: 1,
			Paths:  []fib_types.FibPath{{SwIfIndex: ^uint32(0), Type: fib_types.FIB_API_PATH_TYPE_DROP, Weight: 1}},
		},
	}
}

func routes(ctx context.Context, conn *core.Connection) error {
	client := ip.NewServiceClient(conn)
	for n := range uint32(1000) {
		if _, err := client.IPRouteAddDel(ctx, route(n)); err != nil {
			return err
		}
	}
	stream, err := client.IPRouteDump(ctx, &ip.IPRouteDump{})
	if err != nil {
		return err
	}
	count := 0
	for {
		details, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if details.Route.Prefix.Len == 32 && details.Route.Prefix.Address.Un.GetIP4()[0] == 20 {
			count++
		}
	}
	if count != 1000 {
		return fmt.Errorf("%d routes were dumped", count)
	}
	return nil
}

// load keeps many requests in flight, so that the health check's pings stand among them.
func load(ctx context.Context, conn *core.Connection) error {
	end := time.Now().Add(2*core.HealthCheckProbeInterval + core.HealthCheckProbeInterval/2)
	failures := make(chan error, 16)
	var workers sync.WaitGroup
	for range cap(failures) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			client := vpe.NewServiceClient(conn)
			for time.Now().Before(end) {
				if _, err := client.ShowVersion(ctx, &vpe.ShowVersion{}); err != nil {
					failures <- err
					return
				}
			}
		}()
	}
	workers.Wait()
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}

func statistics(socket string) error {
	conn, err := core.ConnectStats(statsclient.NewStatsClient(socket))
	if err != nil {
		return err
	}
	defer conn.Disconnect()
	var system api.SystemStats
	if err := conn.GetSystemStats(&system); err != nil {
		return err
	}
	if system.Heartbeat == 0 {
		return fmt.Errorf("no heartbeat: %+v", system)
	}
	var links api.InterfaceStats
	if err := conn.GetInterfaceStats(&links); err != nil {
		return err
	}
	var names []string
	for _, link := range links.Interfaces {
		names = append(names, link.InterfaceName)
	}
	if got := strings.Join(names, " "); got != "local0 loop0" {
		return fmt.Errorf("interfaces: %s", got)
	}
	var nodes api.NodeStats
	if err := conn.GetNodeStats(&nodes); err != nil {
		return err
	}
	var errorCounters api.ErrorStats
	if err := conn.GetErrorStats(&errorCounters); err != nil {
		return err
	}
	known := func(name string) bool {
		for _, counter := range errorCounters.Errors {
			if counter.CounterName == name {
				return true
			}
		}
		return false
	}
	if !known("/err/ip4-input/time_expired") {
		return fmt.Errorf("%d error counters, /err/ip4-input/time_expired is not among them", len(errorCounters.Errors))
	}
	if len(nodes.Nodes) == 0 {
		return errors.New("no nodes")
	}
	var memory api.MemoryStats
	if err := conn.GetMemoryStats(&memory); err != nil {
		return err
	}
	var buffers api.BufferStats
	return conn.GetBufferStats(&buffers)
}
