using System.Text.Json;

namespace ActorTrainer.Training.Tests;

public sealed class TrainerSettingsTests
{
    [Fact]
    public void Read_ValuesSet_AreTaken()
    {
        TrainerSettings settings = Open("""{"seed":7,"rate":0.5,"quick":true,"name":"x","as-text":"12"}""");

        settings.Number("seed", 1).ShouldBe(7);
        settings.Fraction("rate", 1).ShouldBe(0.5);
        settings.Flag("quick", false).ShouldBeTrue();
        settings.Text("name", "").ShouldBe("x");
        settings.Number("as-text", 1).ShouldBe(12);
        Should.NotThrow(settings.RefuseOthers);
    }

    [Fact]
    public void Read_NothingSet_GivesFallbacks()
    {
        TrainerSettings settings = new TrainerContext("t", "/tmp").ReadSettings();

        settings.Number("seed", 1).ShouldBe(1);
        settings.Fraction("rate", 0.25).ShouldBe(0.25);
        settings.Flag("quick", true).ShouldBeTrue();
        settings.Text("name", "y").ShouldBe("y");
        Should.NotThrow(settings.RefuseOthers);
    }

    [Fact]
    public void Number_NotWhole_SaysWhatItIs() =>
        Should
            .Throw<TrainerSettingsException>(() => Open("""{"hidden":"many"}""").Number("hidden", 1, least: 1))
            .Message.ShouldBe("trainer.settings.hidden is \"many\"; it has to be a whole number, at least 1.");

    [Fact]
    public void Fraction_OutOfRange_SaysTheRange() =>
        Should
            .Throw<TrainerSettingsException>(() => Open("""{"dropout":1}""").Fraction("dropout", 0, least: 0, below: 1))
            .Message.ShouldBe("trainer.settings.dropout is 1; it has to be a number, at least 0 and below 1.");

    [Fact]
    public void RefuseOthers_UnknownName_ListsTheKnownOnes()
    {
        TrainerSettings settings = Open("""{"sed":1}""");
        settings.Number("seed", 1);
        settings.Number("epochs", 1);

        Should
            .Throw<TrainerSettingsException>(settings.RefuseOthers)
            .Message.ShouldBe("trainer.settings.sed is not known; the settings are: epochs, seed.");
    }

    [Fact]
    public void ReadSettings_NoObject_IsRefused() => Should.Throw<TrainerSettingsException>(() => Open("[1]")).Message.ShouldContain("[1]");

    private static TrainerSettings Open(string json) =>
        new TrainerContext("t", "/tmp", JsonDocument.Parse(json).RootElement).ReadSettings();
}
