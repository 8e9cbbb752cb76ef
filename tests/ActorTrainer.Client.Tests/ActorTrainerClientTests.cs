using System.Net;
using System.Net.Sockets;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Api;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Api;

public sealed class ActorTrainerClientTests
{
    [Fact]
    public async Task Call_NoNodeListens_SaysWhereAndWhatToDo()
    {
        NodeAddress free = FreeAddress();
        using ActorTrainerClient client = Client(free);

        NoNodeException error = await Should.ThrowAsync<NoNodeException>(() => client.GetVersionAsync());

        error.Message.ShouldBe($"no node answers at {free}; start one with 'actortrainer node' or give --node");
    }

    [Fact]
    public async Task Call_FirstNodeIsGone_AsksTheNextAndPrefersIt()
    {
        FakeNode node = SampleCluster.Create();
        await using ApiServer server = await ApiServer.StartAsync(node);
        using ActorTrainerClient client = Client(FreeAddress(), server.Address);

        (await client.GetVersionAsync()).Incarnation.ShouldBe(4);

        client.KnownNodes[0].ShouldBe(server.Address);
    }

    [Fact]
    public async Task Call_NodeNeverAnswers_AsksTheNextAfterTheTimeout()
    {
        using TcpListener mute = new(IPAddress.Loopback, 0);
        mute.Start();
        await using ApiServer server = await ApiServer.StartAsync(SampleCluster.Create());
        using ActorTrainerClient client = new(
            new ActorTrainerClientOptions { Nodes = [Address(mute), server.Address], Timeout = TimeSpan.FromMilliseconds(300) }
        );

        (await client.ListTasksAsync()).Tasks.Count.ShouldBe(5);
    }

    [Fact]
    public async Task Call_OnlyNodeIsSlow_IsGivenMoreTime()
    {
        using TcpListener slow = new(IPAddress.Loopback, 0);
        slow.Start();
        Task answering = AnswerSecondAsync(slow);
        using ActorTrainerClient client = new(
            new ActorTrainerClientOptions { Nodes = [Address(slow)], Timeout = TimeSpan.FromMilliseconds(500) }
        );

        (await client.GetVersionAsync()).Version.ShouldBe("9.9");

        await answering;
    }

    [Fact]
    public async Task Call_GivenNodeIsGoneAfterLearning_AsksALearnedOne()
    {
        FakeNode first = SampleCluster.Create();
        FakeNode second = SampleCluster.Create();
        ApiServer serverA = await ApiServer.StartAsync(first);
        await using ApiServer serverB = await ApiServer.StartAsync(second);
        ClusterMember other = new(8, serverB.Address, "beta", [], 1, MemberStatus.Up, false, 1, "1") { State = MemberState.Up };
        first.View = first.View with { Members = [.. first.View.Members, other] };
        using ActorTrainerClient client = Client(serverA.Address);
        await client.LearnNodesAsync();

        await serverA.DisposeAsync();

        (await client.GetTaskAsync("digits-a")).Task.Name.ShouldBe("digits-a");
        client.KnownNodes[0].ShouldBe(serverB.Address);
    }

    [Fact]
    public async Task Call_JournalAwayOnOneNode_AsksTheNext()
    {
        FakeNode blind = SampleCluster.Create();
        blind.JournalDown = "the disk is full";
        await using ApiServer serverA = await ApiServer.StartAsync(blind);
        await using ApiServer serverB = await ApiServer.StartAsync(SampleCluster.Create());
        using ActorTrainerClient client = Client(serverA.Address, serverB.Address);

        (await client.ListTasksAsync()).Tasks.Count.ShouldBe(5);
    }

    [Fact]
    public async Task Call_JournalAwayEverywhere_SaysSo()
    {
        FakeNode blind = SampleCluster.Create();
        blind.JournalDown = "the disk is full";
        await using ApiServer server = await ApiServer.StartAsync(blind);
        using ActorTrainerClient client = Client(server.Address);

        ActorTrainerApiException error = await Should.ThrowAsync<ActorTrainerApiException>(() => client.ListTasksAsync());

        error.IsUnavailable.ShouldBeTrue();
        error.Message.ShouldStartWith(
            "the journal cannot be read now: the disk is full; training goes on; try again in a few seconds, and "
        );
    }

    [Fact]
    public async Task Command_AnswerIsLost_IsNotSentAgain()
    {
        FakeTimeProvider time = new();
        using TcpListener mute = new(IPAddress.Loopback, 0);
        mute.Start();
        Task closing = CloseFirstAsync(mute);
        FakeNode other = SampleCluster.Create();
        await using ApiServer server = await ApiServer.StartAsync(other);
        using ActorTrainerClient client = new(new ActorTrainerClientOptions { Nodes = [Address(mute), server.Address], Time = time });

        Task<CommandAccepted> command = client.PauseAsync("digits-a");
        await closing;
        // .NET connects again by itself, where nobody answers.
        while (!command.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(command, Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System));
        }

        UnknownOutcomeException error = await Should.ThrowAsync<UnknownOutcomeException>(command);
        error.Message.ShouldStartWith($"{Address(mute)} took the command and its answer was lost");
        other.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Submit_AnswerIsLost_IsSentToTheNextNode()
    {
        using TcpListener mute = new(IPAddress.Loopback, 0);
        mute.Start();
        Task closing = CloseFirstAsync(mute);
        FakeNode other = SampleCluster.Create();
        other.OnSubmit = _ => new CommandAccepted(TaskId.Parse("x-1"), Existed: true);
        await using ApiServer server = await ApiServer.StartAsync(other);
        using ActorTrainerClient client = Client(Address(mute), server.Address);

        CommandAccepted accepted = await client.SubmitAsync(new TaskSpec { Name = "x", Command = ["true"] });

        await closing;
        accepted.ShouldBe(new CommandAccepted(TaskId.Parse("x-1"), Existed: true));
    }

    [Fact]
    public async Task Command_NodeIsNotThere_GoesToTheNext()
    {
        FakeNode node = SampleCluster.Create();
        await using ApiServer server = await ApiServer.StartAsync(node);
        using ActorTrainerClient client = Client(FreeAddress(), server.Address);

        await client.PauseAsync("digits-a");

        node.Asked.ShouldBe(["PauseTask digits-a-k3f9"]);
    }

    /// <summary>A node that has only just been started knows no members.</summary>
    [Fact]
    public async Task Drain_FirstNodeKnowsNoMembersYet_GoesToTheNext()
    {
        FakeNode young = new();
        FakeNode node = SampleCluster.Create();
        await using ApiServer serverA = await ApiServer.StartAsync(young);
        await using ApiServer serverB = await ApiServer.StartAsync(node);
        using ActorTrainerClient client = Client(serverA.Address, serverB.Address);

        await client.DrainAsync("alpha");

        young.Asked.ShouldBeEmpty();
        node.Asked.ShouldHaveSingleItem().ShouldStartWith("drain ");
    }

    [Fact]
    public async Task Command_Refused_CarriesTheReason()
    {
        FakeNode node = SampleCluster.Create();
        node.OnCommand = (_, _) => new CommandRefused("the task is finished; only unfinished tasks can be paused");
        await using ApiServer server = await ApiServer.StartAsync(node);
        using ActorTrainerClient client = Client(server.Address);

        ActorTrainerApiException error = await Should.ThrowAsync<ActorTrainerApiException>(() => client.PauseAsync("digits-a"));

        error.Status.ShouldBe(409);
        error.Message.ShouldBe("the task is finished; only unfinished tasks can be paused");
    }

    [Fact]
    public async Task Call_WithToken_IsLetIn()
    {
        await using ApiServer server = await ApiServer.StartAsync(SampleCluster.Create(), new ApiOptions { Token = "secret" });
        using ActorTrainerClient right = new(new ActorTrainerClientOptions { Nodes = [server.Address], Token = "secret" });
        using ActorTrainerClient none = Client(server.Address);

        (await right.GetClusterAsync()).Members.Count.ShouldBe(3);
        (await Should.ThrowAsync<ActorTrainerApiException>(() => none.GetClusterAsync())).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Events_ReadBack_AreTheSame()
    {
        FakeNode node = SampleCluster.Create();
        await using ApiServer server = await ApiServer.StartAsync(node);
        using ActorTrainerClient client = Client(server.Address);

        TaskEventList list = await client.ListEventsAsync("digits-a");

        list.Events.Select(row => row.Event.GetType()).ShouldBe(node.Events[SampleCluster.Digits].Select(row => row.Event.GetType()));
        list.Events[6].Event.ShouldBe(node.Events[SampleCluster.Digits][6].Event);
    }

    private static ActorTrainerClient Client(params NodeAddress[] nodes) => new(new ActorTrainerClientOptions { Nodes = nodes });

    private static NodeAddress Address(TcpListener listener) => new("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);

    private static NodeAddress FreeAddress()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return Address(listener);
    }

    /// <summary>Takes one request and hangs up without an answer.</summary>
    private static async Task CloseFirstAsync(TcpListener listener)
    {
        using TcpClient connection = await listener.AcceptTcpClientAsync();
        byte[] buffer = new byte[4096];
        int read = await connection.GetStream().ReadAsync(buffer);
        read.ShouldBeGreaterThan(0);
    }

    /// <summary>Leaves the first request without an answer and answers the second one.</summary>
    private static async Task AnswerSecondAsync(TcpListener listener)
    {
        using TcpClient first = await listener.AcceptTcpClientAsync();
        using TcpClient second = await listener.AcceptTcpClientAsync();
        const string Body = """{"product":"ActorTrainer","version":"9.9","api":1,"runtime":"","incarnation":0}""";
        byte[] buffer = new byte[4096];
        int read = await second.GetStream().ReadAsync(buffer);
        read.ShouldBeGreaterThan(0);
        await second
            .GetStream()
            .WriteAsync(
                System.Text.Encoding.ASCII.GetBytes(
                    $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"
                )
            );
    }
}
