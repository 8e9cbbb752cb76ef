using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>A node that hangs: nobody hears it any more, and its workers live on until their guard has waited long enough.</summary>
public sealed class HungNodeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Node_HangsUnderAScriptWithAFixedPort_ScriptGetsItsPortOnTheOtherNodeAtOnce()
    {
        await using LocalCluster cluster = new(nodes: 2, slots: 1);
        await cluster.StartAsync();
        string script = Path.Combine(cluster.Folder, "serve.py");
        string serving = Path.Combine(cluster.Folder, "serving");
        File.WriteAllText(
            script,
            $"""
            import os, socket, time
            listener = socket.socket()
            listener.bind(("127.0.0.1", {LocalCluster.FreeAddress().Port}))
            listener.listen()
            with open({Quoted(serving)}, "a") as f:
                f.write(str(os.getpid()) + "\n")
            time.sleep(600)
            """
        );
        TaskSpec spec = Specs.Shell("serves", $"python3 {script} & wait") with { Retry = new RetrySpec { MaxAttempts = 0 } };
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, spec);
        TaskStarted first = await task.WaitForStartAsync(after: 0);
        await ServesAsync(cluster, serving, 1);
        LocalNode hung = cluster.Nodes.Single(node => node.Address == first.Node);

        hung.Signal(Signals.Stop);
        try
        {
            await ServesAsync(cluster, serving, 2);
            int[] pids = [.. File.ReadAllLines(serving).Select(int.Parse)];
            ProcessInfo.Read(pids[0]).ShouldBeNull("the script of the hung node");
            _ = ProcessInfo.Read(pids[1]).ShouldNotBeNull();
            TaskStarted second = await task.WaitForStartAsync(after: 1, cluster.ClientOf(cluster.Nodes.Except([hung])));
            second.Run.ShouldBe(2, "no start failed");
            task.Events.OfType<TaskRetryScheduled>().ShouldBeEmpty();
        }
        finally
        {
            // It may be gone: one that was stopped with the journal's lock in its hands is ended by the others.
            _ = Signals.TrySend(hung.Pid, Signals.Continue);
        }
    }

    private static Task ServesAsync(LocalCluster cluster, string file, int times) =>
        cluster.WaitAsync(
            $"script {times} has the port",
            () => Task.FromResult(File.Exists(file) && File.ReadAllText(file).Count(c => c == '\n') == times),
            Limit
        );

    private static string Quoted(string path) => System.Text.Json.JsonSerializer.Serialize(path);
}
