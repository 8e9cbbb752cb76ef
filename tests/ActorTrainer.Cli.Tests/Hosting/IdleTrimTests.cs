using ActorTrainer.Cli.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Cli.Tests.Hosting;

public sealed class IdleTrimTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly IdleTrim _trim;
    private readonly List<DateTimeOffset> _trims = [];
    private long _allocated;

    public IdleTrimTests() => _trim = new IdleTrim(_time, () => _allocated, () => _trims.Add(_time.GetUtcNow()));

    public void Dispose() => _trim.Dispose();

    [Fact]
    public void Look_WhileBusyAndAfterIt_TrimsOnceWhenTheBurstIsOver()
    {
        Pass(IdleTrim.Busy, times: 1 + (int)(IdleTrim.AtMostEvery / IdleTrim.LookEvery));
        _trims.ShouldBeEmpty("it is still busy");

        Pass(IdleTrim.Busy - 1, times: 1);
        _trims.Count.ShouldBe(1);

        Pass(IdleTrim.Busy - 1, times: 100);
        _trims.Count.ShouldBe(1, "nothing but idling has followed");
    }

    [Fact]
    public void Look_WithBurstsAllTheTime_TrimsNoMoreOftenThanAllowed()
    {
        for (int i = 0; i < 60; i++)
        {
            Pass(IdleTrim.Busy, times: 1);
            Pass(0, times: 1);
        }

        _trims.Count.ShouldBeGreaterThan(5);
        _trims.Zip(_trims.Skip(1), (one, next) => next - one).Min().ShouldBeGreaterThanOrEqualTo(IdleTrim.AtMostEvery);
    }

    private void Pass(long bytes, int times)
    {
        for (int i = 0; i < times; i++)
        {
            _allocated += bytes;
            _time.Advance(IdleTrim.LookEvery);
            _trim.Look();
        }
    }
}
