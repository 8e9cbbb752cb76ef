using System.Net;
using System.Text;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>Who may ask a node on loopback that was given no token.</summary>
public sealed class LocalUserTests
{
    private const string Door = """{"name":"door","command":["true"]}""";

    [Fact]
    public async Task Node_OnLoopback_TakesTasksOfItsOwnUserOnly()
    {
        await using LocalCluster cluster = new(nodes: 1, slots: 1);
        await cluster.StartAsync();
        string elsewhere = Path.Combine(cluster.Folder, "another-user");

        HttpStatusCode stranger = await SubmitAsync(cluster);
        CommandResult own = await cluster.RunAsync("tasks", "ls");
        cluster.Environment["XDG_CONFIG_HOME"] = elsewhere;
        CommandResult another = await cluster.RunAsync("tasks", "ls");

        stranger.ShouldBe(HttpStatusCode.Unauthorized);
        own.ExitCode.ShouldBe(0, own.Error);
        another.ExitCode.ShouldBe(2);
        another.Error.ShouldContain("this node wants a token");
        another.Error.ShouldContain("as that user");
        Directory.Exists(elsewhere).ShouldBeFalse("a client makes no token");
    }

    [Fact]
    public async Task Node_ThatAllowsAnonymousLoopback_TakesTasksOfAllAndWarns()
    {
        await using LocalCluster cluster = new(nodes: 1, slots: 1, "actortrainer.security.allow-anonymous-loopback=true");
        await cluster.StartAsync();

        (await SubmitAsync(cluster)).ShouldBe(HttpStatusCode.Created);

        cluster.Logs(lines: 200).ShouldContain("every user of this machine may run commands");
    }

    [Fact]
    public async Task Submit_ThatATaskFileWouldRefuse_IsRefusedAndTheNodeLivesOn()
    {
        await using LocalCluster cluster = new(nodes: 1, slots: 1, "actortrainer.security.allow-anonymous-loopback=true");
        await cluster.StartAsync();
        long life = (await cluster.Client.GetClusterAsync()).Members.Single().Incarnation;

        foreach (string retry in (string[])["""{"rules":[null]}""", """{"backoff":"10675199.02:48:05"}"""])
        {
            string body = $$"""{"name":"door","command":["false"],"retry":{{retry}}}""";
            (await SubmitAsync(cluster, body)).ShouldBe(HttpStatusCode.Conflict);
        }

        (await cluster.Client.ListTasksAsync()).Tasks.ShouldBeEmpty();
        (await cluster.Client.GetClusterAsync()).Members.Single().Incarnation.ShouldBe(life);
    }

    private static async Task<HttpStatusCode> SubmitAsync(LocalCluster cluster, string body = Door)
    {
        using HttpClient http = new();
        using StringContent content = new(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await http.PostAsync(new Uri($"http://{cluster.Nodes[0].Address}/v1/tasks"), content);
        return answer.StatusCode;
    }
}
