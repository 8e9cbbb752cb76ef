using System.Net;
using System.Net.Sockets;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>Nodes that cannot start: exit code 2, one message that says where, what and what to do, and nothing left behind.</summary>
public sealed class RefusedNodeTests
{
    [Theory]
    [InlineData("actortrainer {\n  node { slots = [ \n}", "node.conf:", "")]
    [InlineData("actortrainer {\n  node { adress = \"127.0.0.1:0\" }\n}", "node.conf:2:", "address")]
    [InlineData("actortrainer {\n  membership { heartbeat-interval = 200 parsecs }\n}", "node.conf:2:", "heartbeat-interval")]
    [InlineData("actortrainer {\n  membership { heartbeat-interval = -200 ms }\n}", "node.conf:2:", "heartbeat-interval")]
    [InlineData("actortrainer {\n  node { slots = many }\n}", "node.conf:2:", "slots")]
    [InlineData("actortrainer {\n  include \"missing.conf\"\n  security.token-file = missing.token\n}", "", "missing.token")]
    [InlineData("actortrainer.node.address = \"10.1.2.3:7400\"", "", "token-file")]
    public async Task Node_ConfigurationIsWrong_ExitsWithTwoAndOneMessage(string text, string where, string what)
    {
        using TemporaryFolder folder = new();
        await File.WriteAllTextAsync(folder["node.conf"], text);

        CommandResult node = await RunAsync(folder, "node", "--config", "node.conf");

        ShouldBeRefused(node, folder, where, what);
        Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName).ShouldBe(["node.conf"]);
    }

    [Fact]
    public async Task Node_ConfigurationIsNoFile_ExitsWithTwo()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["folder.conf"]);

        ShouldBeRefused(await RunAsync(folder, "node", "--config", "missing.conf"), folder, "missing.conf", "");
        ShouldBeRefused(await RunAsync(folder, "node", "--config", "folder.conf"), folder, "folder.conf", "");
    }

    [Fact]
    public async Task Node_PortIsInUse_ExitsWithTwo()
    {
        using TemporaryFolder folder = new();
        using Socket taken = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        string address = taken.LocalEndPoint!.ToString()!;

        CommandResult node = await RunAsync(folder, "node", "--address", address);

        ShouldBeRefused(node, folder, address, "in use");
        File.Exists(folder["actortrainer-data/journal.db"]).ShouldBeFalse("nothing was started");
    }

    [Fact]
    public async Task Node_JournalIsNoJournal_ExitsWithTwoAndLeavesItAsItWas()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["actortrainer-data"]);
        await File.WriteAllTextAsync(
            folder["actortrainer-data/journal.db"],
            "my notes, and quite a lot of them: nobody should write over this"
        );

        CommandResult node = await RunAsync(folder, "node", "--address", LocalCluster.FreeAddress().ToString());

        ShouldBeRefused(node, folder, "journal.db", "");
        (await File.ReadAllTextAsync(folder["actortrainer-data/journal.db"])).ShouldStartWith("my notes");
    }

    [Fact]
    public async Task Node_SeedIsOfAnotherCluster_ExitsWithTwoAndStartsNothing()
    {
        using TemporaryFolder folder = new();
        await using ApiServer seed = await ApiServer.StartAsync(new FakeNode { ClusterName = "other" });

        CommandResult node = await RunAsync(
            folder,
            "node",
            "--address",
            LocalCluster.FreeAddress().ToString(),
            "--seed",
            seed.Address.ToString()
        );

        ShouldBeRefused(node, folder, $"seed {seed.Address} belongs to the cluster 'other'", "set actortrainer.cluster.name = other here");
        File.Exists(folder["actortrainer-data/journal.db"]).ShouldBeFalse("nothing was started");
    }

    private static Task<CommandResult> RunAsync(TemporaryFolder folder, params string[] arguments) =>
        CommandResult.RunAsync(LocalCluster.Executable, arguments, folder.Root, new Dictionary<string, string> { ["NO_COLOR"] = "1" });

    private static void ShouldBeRefused(CommandResult node, TemporaryFolder folder, string where, string what)
    {
        string written = node.Output + node.Error;
        node.ExitCode.ShouldBe(2, written);
        node.Error.ShouldContain(where, Case.Sensitive);
        node.Error.ShouldContain(what, Case.Sensitive);
        written.ShouldNotContain("   at ActorTrainer.", Case.Sensitive, "no stack traces for users");
        ProcessInfo.All().ShouldNotContain(p => p.CommandLine.Contains($" guard --node-dir {folder.Root}", StringComparison.Ordinal));
    }
}
