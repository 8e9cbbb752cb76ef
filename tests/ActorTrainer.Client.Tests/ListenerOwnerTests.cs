using System.Net;
using System.Net.Sockets;

namespace ActorTrainer.Client.Tests;

public sealed class ListenerOwnerTests
{
    private static readonly string[] Table =
    [
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "   0: 0100007F:1CE8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 17 1 0 100 0 0 10 0",
        "   1: 0200007F:1CE8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 18 1 0 100 0 0 10 0",
        "   2: 00000000:1CE9 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1002        0 19 1 0 100 0 0 10 0",
        "   3: 0100007F:1CE8 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000  1003        0 20 1 0 100 0 0 10 0",
    ];

    [Theory]
    [InlineData("127.0.0.1", 7400, new uint[] { 1000 })]
    [InlineData("127.0.0.2", 7400, new uint[] { 1001 })]
    [InlineData("localhost", 7400, new uint[] { 1000, 1001 })]
    [InlineData("127.0.0.1", 7401, new uint[] { 1002 })]
    [InlineData("127.0.0.1", 7402, new uint[] { })]
    public void UsersOf_ATable_AreThoseWhoListenThere(string host, int port, uint[] users)
    {
        Assert.SkipUnless(BitConverter.IsLittleEndian, "the lines are those of a little-endian machine");

        ListenerOwner.UsersOf(Table, host, port).ShouldBe(users);
    }

    [Fact]
    public void UsersOf_Version6_ReadsItsAddresses()
    {
        const string line = "   0: 00000000000000000000000001000000:1CE8 00000000000000000000000000000000:0000 0A 0:0 00:0 0  1000  0 17 1";

        ListenerOwner.UsersOf([line], "::1", 7400).ShouldBe([1000u]);
        ListenerOwner.UsersOf([line], "127.0.0.1", 7400).ShouldBeEmpty();
    }

    [Fact]
    public void IsAnother_AListenerOfThisProcess_IsNot()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();

        ListenerOwner.IsAnother("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port).ShouldBeFalse();
    }
}
