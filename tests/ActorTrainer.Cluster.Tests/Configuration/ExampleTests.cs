using ActorTrainer.Cluster.Configuration;
using ActorTrainer.Hocon;
using Akka.Configuration;

namespace ActorTrainer.Cluster.Tests.Configuration;

public sealed class ExampleTests
{
    private static readonly string Folder = Path.Combine(FindRoot(), "hocon");

    public static TheoryData<string> Files() =>
        [.. Directory.EnumerateFiles(Folder, "*.conf", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Folder, file))];

    [Theory]
    [MemberData(nameof(Files))]
    public void Text_Example_IsUnderstoodByAkka(string file)
    {
        Config akka = Read(file);

        akka.GetString("akka.actor.provider").ShouldBe("cluster");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Text_ThreeNodes_FindEachOtherInTheJournal(int number)
    {
        Config akka = Read($"three-nodes/node{number}.conf");

        akka.GetInt("akka.remote.dot-netty.tcp.port").ShouldBe(8400 + number);
        akka.GetStringList("akka.cluster.seed-nodes").ShouldBeEmpty();
    }

    [Fact]
    public void Text_Tuned_HasWhatTheUserSays()
    {
        Config akka = Read("tuned.conf");

        akka.GetInt("akka.remote.dot-netty.tcp.port").ShouldBe(7500);
        akka.GetByteSize("akka.remote.dot-netty.tcp.maximum-frame-size").ShouldBe(1 << 20);
        akka.GetTimeSpan("akka.cluster.failure-detector.acceptable-heartbeat-pause").ShouldBe(TimeSpan.FromSeconds(5));
        akka.GetStringList("akka.cluster.roles").ShouldBe(["actortrainer", "analytics"]);
    }

    private static Config Read(string file) =>
        ConfigurationFactory.ParseString(AkkaSection.Text(NodeConfiguration.Load([Path.Combine(Folder, file)])));

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "ActorTrainer.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException("the repository's root");
    }
}
