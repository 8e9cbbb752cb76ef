using System.Text;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Tests.Transport;

public sealed class PeerChannelTests
{
    [Fact]
    public async Task Send_ManyMessages_ArriveInOrderWithTheirSender()
    {
        await using TransportNode a = (await TransportNode.ListenAsync(1, TransportNode.NewModel())).OpenChannel();
        await using TransportNode b = (await TransportNode.ListenAsync(2, TransportNode.NewModel())).OpenChannel();
        for (int i = 0; i < 500; i++)
        {
            a.Peers!.Send(b.Address, BitConverter.GetBytes(i));
        }

        for (int i = 0; i < 500; i++)
        {
            (long life, NodeAddress from, byte[] payload) = await b.ReceiveAsync();
            life.ShouldBe(1);
            from.ShouldBe(a.Address);
            BitConverter.ToInt32(payload).ShouldBe(i);
        }
    }

    [Fact]
    public async Task Send_LargeMessage_ArrivesWhole()
    {
        await using TransportNode a = (await TransportNode.ListenAsync(1, TransportNode.NewModel())).OpenChannel();
        await using TransportNode b = (await TransportNode.ListenAsync(2, TransportNode.NewModel())).OpenChannel();
        byte[] large = new byte[3_000_001];
        new Random(5).NextBytes(large);
        a.Peers!.Send(b.Address, large);
        (await b.ReceiveAsync()).Payload.ShouldBe(large);
    }

    [Fact]
    public async Task Send_PeerCameBackAtItsAddress_ReachesItAgain()
    {
        await using TransportNode a = (await TransportNode.ListenAsync(1, TransportNode.NewModel())).OpenChannel();
        TransportNode b = (await TransportNode.ListenAsync(2, TransportNode.NewModel())).OpenChannel();
        NodeAddress address = b.Address;
        a.Peers!.Send(address, "one"u8.ToArray());
        Encoding.UTF8.GetString((await b.ReceiveAsync()).Payload).ShouldBe("one");
        await b.DisposeAsync();

        await using TransportNode again = (await TransportNode.ListenAsync(3, TransportNode.NewModel(address.Port))).OpenChannel();
        // Best effort: what is sent before the end of the old connection was noticed may be lost.
        Task<(long Incarnation, NodeAddress From, byte[] Payload)> received = again.ReceiveAsync();
        while (!received.IsCompleted)
        {
            a.Peers.Send(address, "two"u8.ToArray());
            await Task.WhenAny(received, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }

        Encoding.UTF8.GetString((await received).Payload).ShouldBe("two");
    }

    [Fact]
    public async Task Send_NobodyThere_IsLostAndHoldsNothingUp()
    {
        await using TransportNode a = (await TransportNode.ListenAsync(1, TransportNode.NewModel())).OpenChannel();
        await using TransportNode b = (await TransportNode.ListenAsync(2, TransportNode.NewModel())).OpenChannel();
        a.Peers!.Send(new NodeAddress("127.0.0.1", 1), "lost"u8.ToArray());
        a.Peers.Send(b.Address, "found"u8.ToArray());
        Encoding.UTF8.GetString((await b.ReceiveAsync()).Payload).ShouldBe("found");
    }
}
