using System.Runtime.Versioning;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.EndToEnd.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class CommitTests
{
    /// <summary>Whoever starts a node by its full path has it in no PATH.</summary>
    [Fact]
    public async Task Run_ScriptThatCommitsWithAPathWithoutTheCommandLine_FindsIt()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();

        CommandResult run = await cluster.RunAsync(
            "run",
            "--name",
            "commits",
            "--env",
            "PATH=/usr/bin:/bin",
            "--max-attempts",
            "0",
            "--",
            "sh",
            "-c",
            "echo 1 > \"$ACTORTRAINER_CHECKPOINT_DIR/state\" && actortrainer commit && echo \"$PATH\""
        );

        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldStartWith("/usr/bin:/bin:/");
        (await cluster.RunAsync("checkpoints", "ls", "commits", "--files")).Output.ShouldContain("state");
    }
}
