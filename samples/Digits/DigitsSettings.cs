using ActorTrainer.Training;

namespace ActorTrainer.Samples.Digits;

/// <summary>The task's <c>trainer.settings</c>. What each means, and its default, stands in README.md beside this file.</summary>
internal sealed record DigitsSettings(
    ulong Seed,
    int Hidden,
    int Epochs,
    int BatchSize,
    int Views,
    float Dropout,
    double LearningRate,
    string DataFile
)
{
    /// <exception cref="TrainerSettingsException">A setting is unknown or out of its range.</exception>
    public static DigitsSettings Read(TrainerContext context)
    {
        TrainerSettings settings = context.ReadSettings();
        bool quick = settings.Flag("quick", false);
        DigitsSettings read = new(
            Seed: (ulong)settings.Number("seed", 1, least: 0),
            Hidden: (int)settings.Number("hidden", quick ? 48 : 512, least: 1),
            Epochs: (int)settings.Number("epochs", quick ? 12 : 40, least: 1),
            BatchSize: (int)settings.Number("batch-size", 32, least: 1),
            Views: (int)settings.Number("views", quick ? 1 : 8, least: 1),
            Dropout: (float)settings.Fraction("dropout", 0.2, least: 0, below: 1),
            LearningRate: settings.Fraction("learning-rate", quick ? 0.005 : 0.001, least: 0),
            DataFile: settings.Text("data", Path.Combine(FolderOfThisProgram(), "data", "digits.csv"))
        );
        settings.RefuseOthers();
        return read;
    }

    // Not the folder of the process: a node may load this program's file as the trainer's assembly.
    private static string FolderOfThisProgram() => Path.GetDirectoryName(typeof(DigitsSettings).Assembly.Location) ?? ".";
}
