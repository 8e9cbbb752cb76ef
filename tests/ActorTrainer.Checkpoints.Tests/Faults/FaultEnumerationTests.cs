using System.Diagnostics;
using System.Globalization;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests.Faults;

/// <summary>
/// Every write, sync, rename, link and unlink of what a store does is a point at which the process is killed, the power is cut, or the step
/// is refused. Whatever happens there: what was committed comes back bit for bit, nothing is silently different, the next save works and
/// outlives a power cut, and what is left over is removed by the next collection of garbage.
/// </summary>
public sealed class FaultEnumerationTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private FaultStates? _states;
    private int _world;

    public static TheoryData<string> Scenarios =>
        [.. FaultScenario.All.OrderByDescending(scenario => scenario.IsTiered).Select(scenario => scenario.Name)];

    private FaultStates States => _states ??= new FaultStates(_folder["states"]);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task EveryPoint_KilledPowerCutOrRefused_WhatWasCommittedIsWholeAndTheNextSaveWorks(string name)
    {
        FaultScenario scenario = FaultScenario.All.Single(one => one.Name == name);
        Stopwatch took = Stopwatch.StartNew();

        FaultStart start = await StartAsync(scenario);
        (FaultLedger ledger, DiskStep[] steps) = await ReferenceAsync(scenario, start);
        int killed = 0;
        int refused = 0;
        for (int at = 0; at < steps.Length; at++)
        {
            Fault[] kills = steps[at].Bytes is { Length: > 1 } ? [new Kill(at), new Kill(at, Torn: true)] : [new Kill(at)];
            Fault[] refusals =
            [
                new Refusal(at, Refusal.NoSpace),
                new Refusal(at, Refusal.InputOutput),
                new Refusal(at, Refusal.AccessDenied),
                new Refusal(at, Refusal.NoSpace, Lasting: true),
            ];
            foreach (Fault fault in kills.Concat(refusals))
            {
                FaultRun run = await RunAsync(scenario, start, fault);
                await CheckAsync(scenario, ledger, run, $"{fault} {steps[at]}", thenCutsPower: fault is Kill);
            }

            killed += kills.Length;
            refused += refusals.Length;
        }

        int cuts = await CutEverywhereAsync(scenario, ledger, start.Steps, steps);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {steps.Length} points; {killed} kills, {refused} errors, {cuts} states after a power cut; "
                    + $"{took.Elapsed.TotalSeconds:0.0} s"
            )
        );
        foreach (IGrouping<DiskAction, DiskStep> kind in steps.GroupBy(step => step.Action).OrderBy(kind => kind.Key))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {kind.Key} {kind.Count()}"));
        }
    }

    /// <summary>What the points are, for a save: one that is not among them would be noticed here, and so would one too many.</summary>
    [Fact]
    public async Task Points_OfASaveThatSharesPacks_AreTheseInThisOrder()
    {
        FaultScenario scenario = FaultScenario.All.Single(one => one.Name == "a save that shares packs");
        (_, DiskStep[] steps) = await ReferenceAsync(scenario, await StartAsync(scenario));
        steps
            .Select(step => step.ToString())
            .ShouldBe([
                // Once in a process: what a former one may have made and not synced.
                "syncFolder store",
                "syncFolder store",
                "syncFolder store/faults-x1",
                "syncFolder store/faults-x1",
                // Its header, the file of a few bytes, a changed chunk, and the last one.
                "create store/faults-x1/packs/c-1-3-aaaaaaaa.pack",
                "append store/faults-x1/packs/c-1-3-aaaaaaaa.pack",
                "append store/faults-x1/packs/c-1-3-aaaaaaaa.pack",
                "append store/faults-x1/packs/c-1-3-aaaaaaaa.pack",
                "append store/faults-x1/packs/c-1-3-aaaaaaaa.pack",
                "sync store/faults-x1/packs/c-1-3-aaaaaaaa.pack",
                "syncFolder store/faults-x1/packs",
                "create store/faults-x1/manifests/c-1-3-aaaaaaaa.json.tmp",
                "append store/faults-x1/manifests/c-1-3-aaaaaaaa.json.tmp",
                "sync store/faults-x1/manifests/c-1-3-aaaaaaaa.json.tmp",
                "rename store/faults-x1/manifests/c-1-3-aaaaaaaa.json.tmp",
                "syncFolder store/faults-x1/manifests",
            ]);
    }

    /// <summary>Runs it without a fault. Everything that changed on the disk must be in the list of steps.</summary>
    private async Task<(FaultLedger Ledger, DiskStep[] Steps)> ReferenceAsync(FaultScenario scenario, FaultStart start)
    {
        FaultRun run = await RunAsync(scenario, start, fault: null);
        run.IsFinished.ShouldBeTrue();
        DiskStep[] steps = [.. run.World.Disk.Steps];
        run.World.Disk.Count.ShouldBe(steps.Length);
        steps.Length.ShouldBePositive();
        new DiskModel(run.World.Disk.AllSteps).Now.Signature.ShouldBe(
            DiskState.Of(run.World.Root).Signature,
            "something was changed that is not among the steps"
        );
        FaultLedger ledger = start.Ledger with { Made = run.Made };
        await CheckAsync(scenario, ledger, run, "no fault");
        return (ledger, steps);
    }

    /// <summary>What was there before the operation: made once, and copied for each life.</summary>
    private async Task<FaultStart> StartAsync(FaultScenario scenario)
    {
        string root = NewRoot();
        FaultDisk disk = new(root, []) { CanLink = scenario.CanLink };
        FaultLedger ledger = await scenario.Before(new FaultWorld(root, States, disk));
        return new FaultStart(ledger, disk.Steps, DiskState.Of(root));
    }

    private async Task<FaultRun> RunAsync(FaultScenario scenario, FaultStart start, Fault? fault)
    {
        string root = NewRoot();
        start.State.WriteTo(root);
        FaultLedger ledger = start.Ledger;
        FaultWorld world = new(root, States, new FaultDisk(root, start.Steps, fault) { CanLink = scenario.CanLink });
        try
        {
            Saved? made = await scenario.Run(world, ledger);
            return new FaultRun(world, made, IsFinished: true);
        }
        catch (Exception e) when (e is KilledException ? fault is Kill : e is CheckpointStoreException && fault is Refusal)
        {
            return new FaultRun(world, Made: null, IsFinished: false);
        }
    }

    /// <summary>Cuts the power before every step and after the last, and looks at all that may be left.</summary>
    private async Task<int> CutEverywhereAsync(FaultScenario scenario, FaultLedger ledger, IReadOnlyList<DiskStep> before, DiskStep[] steps)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        for (int at = 0; at <= steps.Length; at++)
        {
            bool isFinished = at == steps.Length;
            foreach (DiskState state in new DiskModel(before.Concat(steps.Take(at))).AfterPowerCut())
            {
                // What is left may be the same as a step earlier; of a finished operation more is asked.
                if (seen.Add((isFinished ? "finished " : "") + state.Signature))
                {
                    string what = isFinished ? "power cut at the end" : $"power cut before {at} {steps[at]}";
                    await CheckAsync(scenario, ledger, Booted(state, ledger, isFinished), what);
                }
            }
        }

        return seen.Count;
    }

    private FaultRun Booted(DiskState state, FaultLedger ledger, bool isFinished)
    {
        string root = NewRoot();
        state.WriteTo(root);
        return new FaultRun(new FaultWorld(root, States, new FaultDisk(root, state.Steps())), ledger.Made, isFinished);
    }

    private string NewRoot() => Directory.CreateDirectory(_folder[Path.Combine("worlds", $"{++_world}", "root")]).FullName;

    /// <summary>Starts again on what is left, and looks at it as the next owner of the task would.</summary>
    private async Task CheckAsync(FaultScenario scenario, FaultLedger ledger, FaultRun run, string what, bool thenCutsPower = true)
    {
        try
        {
            FaultWorld world = new(run.World.Root, States, new FaultDisk(run.World.Root, run.World.Disk.AllSteps));
            List<Saved> listed = [.. ledger.Kept];
            if (run.IsFinished && ledger.Made is { } made)
            {
                listed.Insert(0, made);
            }

            Saved next = await FaultCheck.RestartAsync(scenario, world, ledger, listed);
            if (!thenCutsPower)
            {
                return;
            }

            FaultWorld after = Booted(new DiskModel(world.Disk.AllSteps).Promised, ledger, isFinished: true).World;
            await FaultCheck.PowerCutAsync(scenario, world, after, [next, .. listed]);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new InvalidOperationException($"{scenario.Name}: {what}: {e.Message}", e);
        }
        finally
        {
            Directory.Delete(_folder["worlds"], recursive: true);
        }
    }
}

/// <summary>How a life of a node ended.</summary>
internal sealed record FaultRun(FaultWorld World, Saved? Made, bool IsFinished);

/// <summary>What an operation begins with: what is committed, how it came to be, and what is on the disk.</summary>
internal sealed record FaultStart(FaultLedger Ledger, IReadOnlyList<DiskStep> Steps, DiskState State);
