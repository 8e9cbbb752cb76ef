using System.Diagnostics;
using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Membership;
using ActorTrainer.Testing.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Persistence;

/// <summary>A process that is stopped in the middle of a transaction, as a node's may be.</summary>
[Trait("Requires", "torch")]
public sealed class StuckWriterTests : IAsyncLifetime
{
    private readonly JournalFolder _folder = new();
    private Process _writer = null!;

    public async Task InitializeAsync()
    {
        await _folder.OpenAsync();
        const string Script =
            "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE'); "
            + "print('writing', flush=True); time.sleep(600)";
        string python = Environment.GetEnvironmentVariable("ACTORTRAINER_PYTHON") ?? "python3";
        _writer = Process.Start(
            new ProcessStartInfo(python, ["-c", Script, _folder.Model.Journal.Path]) { RedirectStandardOutput = true }
        )!;
        (await _writer.StandardOutput.ReadLineAsync()).ShouldBe("writing");
    }

    public Task DisposeAsync()
    {
        _writer.Kill();
        _writer.Dispose();
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public void Check_OfAStoppedUnreachableWriter_EndsItSoThatOthersCanWrite()
    {
        WalLock.FindWriter(_folder.Model.Journal.Path).ShouldBe(_writer.Id);
        StopWriter();
        StuckWriter stuck = New();

        Check(stuck, MemberState.Suspect);
        _writer.HasExited.ShouldBeFalse("it may be continued at this moment");
        Check(stuck, MemberState.Suspect);

        _writer.WaitForExit(TimeSpan.FromSeconds(10)).ShouldBeTrue();
        WalLock.FindWriter(_folder.Model.Journal.Path).ShouldBeNull();
    }

    [Fact]
    public void Check_OfAWriterThatRunsOrIsReachable_LeavesItAlone()
    {
        StuckWriter stuck = New();
        Check(stuck, MemberState.Suspect);
        Check(stuck, MemberState.Suspect);
        StopWriter();
        Check(stuck, MemberState.Up);
        Check(stuck, MemberState.Suspect);
        Signals.Send(_writer.Id, Signals.Continue);
        SpinWait.SpinUntil(() => !IsStopped, TimeSpan.FromSeconds(10)).ShouldBeTrue();
        Check(stuck, MemberState.Suspect);

        _writer.HasExited.ShouldBeFalse();
    }

    /// <summary>A signal is sent at once and takes effect a moment later.</summary>
    private void StopWriter()
    {
        Signals.Send(_writer.Id, Signals.Stop);
        SpinWait.SpinUntil(() => IsStopped, TimeSpan.FromSeconds(10)).ShouldBeTrue();
    }

    private bool IsStopped => File.ReadAllText($"/proc/{_writer.Id}/stat").Contains(") T ", StringComparison.Ordinal);

    private StuckWriter New() => new(_folder.Database, _folder.Model.Journal.Path, NullLogger.Instance);

    private void Check(StuckWriter stuck, MemberState state)
    {
        ClusterMember member = new(2, _folder.Model.Address, "n2", [], 1, MemberStatus.Up, false, _writer.Id, "1") { State = state };
        stuck.Check(new ClusterView(1, 1, [member]));
    }
}
